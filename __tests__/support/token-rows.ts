import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { OutageCode, RefusalCode } from '../../src/core/errors.js';
import { assemble, createSigner, type Signer, signatureOf } from './signer.js';
import { CLAIMS_OF_KINDS } from './token-kinds.js';

type Json = Record<string, unknown>;

/** The verdict of a policy on a token: the first reason to refuse it, if there is one. */
export type Verdict = RefusalCode | OutageCode | 'accepted';
/** @param sign Signs good claims with these changes. */
type MakeToken = (sign: (changes?: Json, header?: Json, signer?: Signer) => string, resource: string) => string;
type Policy = Json | ((resource: string) => Json);

/** A token and a policy, and the verdict. The policy is merged over a good one for {@link ISSUER}. */
export type TokenRow = [what: string, policy: Policy, makeToken: MakeToken, expected: Verdict];

export const ISSUER = 'https://issuer.example';
const OTHER = 'https://other.example/';
/** Seconds since 1970. Tests must stop the clock here, because some tokens are exactly at the limit of a tolerance. */
export const NOW = Math.floor(Date.now() / 1000);

export const signer = createSigner();
const rsa = createSigner({ alg: 'RS256' });
const ed25519 = createSigner({ alg: 'Ed25519' });
const otherSigner = createSigner({ kid: signer.kid });
export const jwks = { keys: [signer.jwk, rsa.jwk, ed25519.jwk] };

/** Writes the keys to a file of the test that runs. Files of tests share this module, so a file of its own would go with the first one. */
const keysInFile = (): Json => {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'jwks.json');
  writeFileSync(file, JSON.stringify(jwks));
  return { jwks: { file } };
};

/** Makes a token that differs from a good one in these claims. */
const withClaims =
  (changes: Json): MakeToken =>
  (sign) =>
    sign(changes);
const withHeader =
  (header: Json): MakeToken =>
  (sign) =>
    sign({}, header);
/** Makes a token with a claim written as raw JSON: `JSON.stringify` cannot write `1e400`. */
const withRawClaim =
  (name: string, json: string): MakeToken =>
  (_sign, resource) =>
    signer.sign(JSON.stringify({ iss: ISSUER, aud: resource, exp: NOW + 60, [name]: '?' }).replace('"?"', json));

const tolerance = (clockToleranceSeconds: number) => ({ clockToleranceSeconds });
const requiring = (...requiredClaims: string[]) => ({ jwtValidationOptions: { requiredClaims } });

const times: TokenRow[] = [
  ['a good token', {}, withClaims({}), 'accepted'],
  ['exp 10 seconds ago', {}, withClaims({ exp: NOW - 10 }), 'accepted'],
  ['exp 29 seconds ago', {}, withClaims({ exp: NOW - 29 }), 'accepted'],
  ['exp 30 seconds ago', {}, withClaims({ exp: NOW - 30 }), 'token_expired'],
  ['exp just now, no tolerance', tolerance(0), withClaims({ exp: NOW }), 'token_expired'],
  ['exp in a second, no tolerance', tolerance(0), withClaims({ exp: NOW + 1 }), 'accepted'],
  ['exp 299 seconds ago, 300 tolerated', tolerance(300), withClaims({ exp: NOW - 299 }), 'accepted'],
  ['exp 300 seconds ago, 300 tolerated', tolerance(300), withClaims({ exp: NOW - 300 }), 'token_expired'],
  ['exp a string', {}, withClaims({ exp: String(NOW + 60) }), 'malformed_claim'],
  ['exp NaN, which JSON writes as null', {}, withClaims({ exp: Number.NaN }), 'malformed_claim'],
  ['exp a list', {}, withClaims({ exp: [NOW + 60] }), 'malformed_claim'],
  ['exp 1e400', {}, withRawClaim('exp', '1e400'), 'malformed_claim'],
  ['exp negative', {}, withClaims({ exp: -1 }), 'token_expired'],
  ['exp with a fraction', {}, withClaims({ exp: NOW + 0.5 }), 'accepted'],
  ['exp missing', {}, withClaims({ exp: undefined }), 'missing_claim'],
  ['exp missing, nothing required', requiring(), withClaims({ exp: undefined }), 'accepted'],
  ['exp long ago, nothing required', requiring(), withClaims({ exp: 1 }), 'token_expired'],
  ['exp null, nothing required', requiring(), withClaims({ exp: null }), 'malformed_claim'],
  ['nbf in 10 seconds', {}, withClaims({ nbf: NOW + 10 }), 'accepted'],
  ['nbf in 30 seconds', {}, withClaims({ nbf: NOW + 30 }), 'accepted'],
  ['nbf in 31 seconds', {}, withClaims({ nbf: NOW + 31 }), 'token_not_active'],
  ['nbf in a second, no tolerance', tolerance(0), withClaims({ nbf: NOW + 1 }), 'token_not_active'],
  ['nbf in 300 seconds, 300 tolerated', tolerance(300), withClaims({ nbf: NOW + 300 }), 'accepted'],
  ['nbf a string', {}, withClaims({ nbf: '0' }), 'malformed_claim'],
  ['nbf -1e400', {}, withRawClaim('nbf', '-1e400'), 'malformed_claim'],
  ['iat in the future', {}, withClaims({ iat: NOW + 1000 }), 'accepted'],
  ['iat a string', {}, withClaims({ iat: 'today' }), 'malformed_claim'],
  ['expired and not yet active', {}, withClaims({ exp: NOW - 90, nbf: NOW + 90 }), 'token_expired'],
];

const issuers = [
  { issuer: ISSUER, jwks, audiences: ['one'] },
  { issuer: OTHER, jwks: { keys: [otherSigner.jwk] }, audiences: ['two'], audienceClaim: 'cid', scopesClaim: 'roles' },
];

const issuersAndAudiences: TokenRow[] = [
  ['iss with a slash more', {}, withClaims({ iss: `${ISSUER}/` }), 'unknown_issuer'],
  ['iss a list', {}, withClaims({ iss: [ISSUER] }), 'unknown_issuer'],
  ['iss missing', {}, withClaims({ iss: undefined }), 'unknown_issuer'],
  ['iss unknown, and everything else wrong', {}, withClaims({ iss: 'x', exp: 1, aud: 'x', sub: 1 }), 'unknown_issuer'],
  ['aud a list with ours', {}, (sign, resource) => sign({ aud: ['x', resource] }), 'accepted'],
  ['aud with a slash more', {}, (sign, resource) => sign({ aud: `${resource}/` }), 'accepted'],
  ['aud with two slashes more', {}, (sign, resource) => sign({ aud: `${resource}//` }), 'wrong_audience'],
  ['aud of another service', {}, withClaims({ aud: 'account' }), 'wrong_audience'],
  ['aud an object', {}, withClaims({ aud: { a: 1 } }), 'malformed_claim'],
  ['aud a list with a number', {}, (sign, resource) => sign({ aud: [resource, 1] }), 'malformed_claim'],
  ['aud an empty string', {}, withClaims({ aud: '' }), 'wrong_audience'],
  ['aud an empty list', {}, withClaims({ aud: [] }), 'wrong_audience'],
  ['aud null', {}, withClaims({ aud: null }), 'malformed_claim'],
  ['aud missing', {}, withClaims({ aud: undefined }), 'wrong_audience'],
  ['aud one of several audiences', { audiences: ['a', 'b/'] }, withClaims({ aud: 'b' }), 'accepted'],
  ['aud the resource, where audiences are named', { audiences: ['a'] }, withClaims({}), 'wrong_audience'],
  ['aud and exp wrong: time comes first', {}, withClaims({ aud: 'x', exp: 1 }), 'token_expired'],
  ['exp missing and aud wrong: audience comes first', {}, withClaims({ aud: 'x', exp: undefined }), 'wrong_audience'],
  ...(
    [
      ['names the audience', { client_id: 'app', aud: undefined }, 'accepted'],
      ['has a slash more', { client_id: 'app/' }, 'wrong_audience'],
      ['is missing, aud is right', { aud: 'app' }, 'wrong_audience'],
      ['is a list, as no client is named', { client_id: ['app'] }, 'malformed_claim'],
    ] as const
  ).map(([what, changes, expected]): TokenRow => {
    return [
      `audienceClaim client_id ${what}`,
      { audienceClaim: 'client_id', audiences: ['app'] },
      withClaims(changes),
      expected,
    ];
  }),
  ['the first of two issuers', { issuer: undefined, jwks: undefined, issuers }, withClaims({ aud: 'one' }), 'accepted'],
  ...(
    [
      ['with its own audience claim', { cid: 'two' }, otherSigner, 'accepted'],
      ['with the audience of the first', { aud: 'one' }, otherSigner, 'wrong_audience'],
      ['signed by the first', { cid: 'two' }, signer, 'bad_signature'],
      ['whose scopes are in its own claim', { cid: 'two', roles: [1] }, otherSigner, 'malformed_claim'],
      ['named without its slash', { iss: OTHER.slice(0, -1), cid: 'two' }, otherSigner, 'unknown_issuer'],
    ] as const
  ).map(([what, changes, by, expected]): TokenRow => {
    const policy = { issuer: undefined, jwks: undefined, issuers };
    return [`the second of two issuers, ${what}`, policy, (sign) => sign({ iss: OTHER, ...changes }, {}, by), expected];
  }),
];

const needsCall = { requiredScopes: ['mcp:call'] };

const claimsAndScopes: TokenRow[] = [
  ['sub missing', {}, withClaims({ sub: undefined }), 'accepted'],
  ['sub a number', {}, withClaims({ sub: 7 }), 'malformed_claim'],
  ['client_id a list', {}, withClaims({ client_id: ['a'] }), 'malformed_claim'],
  ['azp null', {}, withClaims({ azp: null }), 'malformed_claim'],
  ['azp a list behind a client_id', {}, withClaims({ client_id: 'a', azp: ['b'] }), 'accepted'],
  ['a required claim', requiring('exp', 'tenant'), withClaims({ tenant: 0 }), 'accepted'],
  ['a required claim missing', requiring('exp', 'tenant'), withClaims({}), 'missing_claim'],
  ['a required claim null', requiring('tenant'), withClaims({ tenant: null }), 'missing_claim'],
  ['a required claim that every object inherits', requiring('toString'), withClaims({}), 'missing_claim'],
  ['scope a string', needsCall, withClaims({ scope: 'openid mcp:call' }), 'accepted'],
  ['scope a list', needsCall, withClaims({ scope: ['openid', 'mcp:call'] }), 'accepted'],
  ['scope a list whose item holds two', needsCall, withClaims({ scope: ['openid mcp:call'] }), 'insufficient_scope'],
  ['scp a list', needsCall, withClaims({ scp: ['mcp:call'] }), 'accepted'],
  ['scp a string', needsCall, withClaims({ scp: 'mcp:call' }), 'accepted'],
  ['no scope', needsCall, withClaims({}), 'insufficient_scope'],
  ['scope a number', {}, withClaims({ scope: 7 }), 'malformed_claim'],
  ['scope and scp wrong', needsCall, withClaims({ scope: null, scp: {} }), 'malformed_claim'],
  ['scopesClaim', { ...needsCall, scopesClaim: 'roles' }, withClaims({ roles: 'mcp:call' }), 'accepted'],
  ['scopesClaim not configured', needsCall, withClaims({ roles: 'mcp:call' }), 'insufficient_scope'],
  ['scopesClaim an object', { scopesClaim: 'roles' }, withClaims({ roles: {} }), 'malformed_claim'],
  ['scope missing and sub wrong', needsCall, withClaims({ sub: 7 }), 'malformed_claim'],
];

const kindsAndForms: TokenRow[] = [
  ...(['at+jwt', 'AT+JWT', 'application/at+jwt', 'jwt', undefined] as const).map(
    (typ): TokenRow => [`typ ${typ}`, {}, withHeader({ typ }), 'accepted'],
  ),
  ...(['dpop+jwt', 'id_token', '', 7, null] as const).map(
    (typ): TokenRow => [`typ ${JSON.stringify(typ)}`, {}, withHeader({ typ }), 'wrong_token_type'],
  ),
  ['an ID token that has expired', {}, withClaims({ nonce: 'n', exp: 1 }), 'wrong_token_type'],
  ...CLAIMS_OF_KINDS.map(
    ([changes, verdict]): TokenRow => [`claims ${JSON.stringify(changes)}`, {}, withClaims(changes), verdict],
  ),
  ...[{ nonce: 'n' }, { at_hash: 'h' }, { typ: 'ID' }, { token_use: 'session' }].map((changes): TokenRow => {
    return [`at+jwt with ${JSON.stringify(changes)}`, {}, (sign) => sign(changes, { typ: 'at+jwt' }), 'accepted'];
  }),
  ['crit', {}, withHeader({ crit: ['x'], x: 1 }), 'critical_extension'],
  ['b64', {}, withHeader({ b64: false }), 'critical_extension'],
  ['alg none', {}, (sign) => `${sign({}, { alg: 'none' }).split('.', 2).join('.')}.`, 'unsupported_algorithm'],
  ['alg HS256', {}, withHeader({ alg: 'HS256' }), 'unsupported_algorithm'],
  ['alg a number', {}, withHeader({ alg: 5 }), 'malformed_token'],
  ['alg of another key type', {}, withHeader({ alg: 'RS256' }), 'unsupported_algorithm'],
  ['alg RS256 with its key', {}, (sign) => sign({}, {}, rsa), 'accepted'],
  ['alg Ed25519 with its key', {}, (sign) => sign({}, {}, ed25519), 'accepted'],
  ['kid unknown', {}, withHeader({ kid: 'old' }), 'unknown_key'],
  ['kid unknown, and expired', {}, (sign) => sign({ exp: 1 }, { kid: 'old' }), 'unknown_key'],
  ['kid a number', {}, withHeader({ kid: 5 }), 'malformed_token'],
  ['no kid, and one key that fits', {}, withHeader({ kid: undefined }), 'accepted'],
  ['forged', {}, (sign) => sign({}, {}, otherSigner), 'bad_signature'],
  ['forged, for another audience', {}, (sign) => sign({ aud: 'x' }, {}, otherSigner), 'bad_signature'],
  ['opaque', {}, () => '2YotnFZFEjr1zCsicMWpAA', 'opaque_token'],
  ['encrypted', {}, () => 'a.b.c.d.e', 'encrypted_token'],
  ['three words', {}, () => 'one.two.three', 'malformed_token'],
  [
    'a claim twice',
    {},
    () => assemble({ alg: 'ES256', kid: signer.kid }, '{"sub":"a","sub":"b"}', signatureOf('ES256', signer.privateKey)),
    'malformed_token',
  ],
  ['too long', { maxTokenBytes: 100 }, withClaims({}), 'token_too_long'],
];

const jkt = { cnf: { jkt: 'thumbprint' } };
const x5t = { cnf: { 'x5t#S256': 'thumbprint' } };
const mtls = (required: boolean) => ({ senderConstraint: { mtls: { getCertificate: () => undefined, required } } });

const bindings: TokenRow[] = [
  ['bound to a key', {}, withClaims(jkt), 'bound_token'],
  ['bound to a key, without its proof', { senderConstraint: { dpop: {} } }, withClaims(jkt), 'bound_token'],
  ['plain, where dpop is accepted', { senderConstraint: { dpop: {} } }, withClaims({}), 'accepted'],
  [
    'plain, where dpop is required',
    { senderConstraint: { dpop: { required: true } } },
    withClaims({}),
    'dpop_required',
  ],
  ['bound to a certificate', {}, withClaims(x5t), 'bound_token'],
  ['bound to a certificate that is not shown', mtls(false), withClaims(x5t), 'certificate_required'],
  ['plain, where mtls is accepted', mtls(false), withClaims({}), 'accepted'],
  ['plain, where mtls is required', mtls(true), withClaims({}), 'certificate_required'],
  ['bound in two ways', {}, withClaims({ cnf: { ...jkt.cnf, ...x5t.cnf } }), 'unsupported_confirmation'],
  ['bound to nothing', {}, withClaims({ cnf: null }), 'unsupported_confirmation'],
  ['bound, signed with Ed25519', {}, (sign) => sign(jkt, {}, ed25519), 'unsupported_algorithm'],
  ['bound, and without its scope', needsCall, withClaims(jkt), 'bound_token'],
  ['bound, and for another audience', {}, withClaims({ ...jkt, aud: 'x' }), 'wrong_audience'],
];

const keySources: TokenRow[] = [
  ['keys of a file', keysInFile, withClaims({}), 'accepted'],
  ['a forged token, keys of a file', keysInFile, (sign) => sign({}, {}, otherSigner), 'bad_signature'],
  ['keys of a function', { jwks: () => jwks }, withClaims({}), 'accepted'],
  ['keys as text', { jwks: JSON.stringify(jwks) }, withHeader({ kid: 'old' }), 'unknown_key'],
  ['no usable key', { jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }, withClaims({}), 'key_set_unavailable'],
];

export const TOKEN_ROWS: readonly (readonly [group: string, rows: readonly TokenRow[]])[] = [
  ['times', times],
  ['issuers and audiences', issuersAndAudiences],
  ['claims and scopes', claimsAndScopes],
  ['kinds and forms', kindsAndForms],
  ['bindings', bindings],
  ['key sources', keySources],
];
