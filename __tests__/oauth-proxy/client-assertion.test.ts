import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { KeyedClient } from '../../src/oauth-proxy/client-keys.js';
import { clientIdOfAssertion } from '../../src/oauth-proxy/read-assertion.js';
import { altered } from '../support/altered.js';
import { stopTime } from '../support/app-with-key-server.js';
import {
  ASSERTION_TYPE,
  CLIENT,
  claims,
  createVerifier,
  ISSUER,
  now,
  TOKEN_ENDPOINT,
  TOLERANCE,
  verdictOn,
} from '../support/client-assertions.js';
import { rsaKeyOf } from '../support/rsa-key.js';
import { assemble, createSigner, pemOf, type Signer, signatureOf } from '../support/signer.js';

const [rs, ps, es, ed] = ['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => createSigner({ alg })) as [
  Signer,
  Signer,
  Signer,
  Signer,
];
const es384 = createSigner({ alg: 'ES384' });
const otherSigner = createSigner({ alg: 'RS256', kid: rs.kid });
const encrypting = createSigner({ alg: 'RS256' });
const wrapping = createSigner({ alg: 'RS256' });
const secret = createSigner({ alg: 'ES256' });
const weak = createSigner({ alg: 'RS256', bits: 1024 });
const without = (jwk: object, ...names: string[]) =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));
const SHARED = Buffer.from('a shared secret of thirty-two bytes');

const client: KeyedClient = {
  url: CLIENT,
  keys: {
    jwks: {
      keys: [
        ...[rs, ps, es, ed, es384, weak].map(({ jwk }) => jwk),
        { ...encrypting.jwk, use: 'enc' },
        { ...without(wrapping.jwk, 'use'), key_ops: ['wrapKey'] },
        { ...secret.privateKey.export({ format: 'jwk' }), kid: secret.kid, alg: 'ES256' },
        { kty: 'oct', kid: 'oct', alg: 'HS256', k: SHARED.toString('base64url') },
      ],
    },
  },
};

const withKeys = (keys: readonly object[]) => ({ url: CLIENT, keys: { jwks: { keys } } }) as unknown as KeyedClient;

const hmac = (key: string | Buffer) => (input: string) => createHmac('sha256', key).update(input).digest();
const unsigned = (alg: string) => assemble({ alg, kid: rs.kid, typ: 'JWT' }, claims(), () => Buffer.alloc(0));
const hs256 = (key: string | Buffer, kid = rs.kid) => assemble({ alg: 'HS256', kid, typ: 'JWT' }, claims(), hmac(key));
/** Its last character has unused bits, so the payload is altered in place of it. */
const withOtherPayload = (token: string) => {
  const [header, payload = '', signature] = token.split('.');
  const changed = Buffer.from(payload, 'base64url')
    .toString()
    .replace(/"jti":"[^"]*"/, '"jti":"other"');
  return [header, Buffer.from(changed).toString('base64url'), signature].join('.');
};

const ALG = 'its alg is not accepted here';
const FORM = 'it must be a signed JWT of at most 16 KiB, without crit';
const SIGNATURE = 'no key that the client publishes verifies its signature';
const AUDIENCE = `its aud must be one of ${ISSUER}, ${TOKEN_ENDPOINT}, alone`;
const NAMES = 'its iss and sub must both be the client id';
const TYP = 'its typ must be client-authentication+jwt or JWT, or be left out';
const AHEAD = 'its exp must be at most 300 seconds ahead';
const NUMBER = 'its exp must be a number';

test.each<[what: string, assertion: () => string | Readonly<Record<string, string>>, verdict?: string]>([
  // Every algorithm of a key pair.
  ...[rs, ps, es, ed, es384].map((signer): [string, () => string] => [`${signer.alg}`, () => signer.sign(claims())]),
  ['Ed25519, the other name of EdDSA', () => ed.sign(claims(), { alg: 'Ed25519' })],
  // Members that clients may leave out, or write differently.
  ['no kid, and several keys', () => es.sign(claims(), { kid: undefined })],
  ['no typ', () => rs.sign(claims(), { typ: undefined })],
  ['the typ of the new draft', () => rs.sign(claims(), { typ: 'client-authentication+jwt' })],
  ['the token endpoint as audience, as ChatGPT sends it', () => rs.sign(claims({ aud: TOKEN_ENDPOINT }))],
  ['a list of one audience', () => rs.sign(claims({ aud: [ISSUER] }))],
  ['no jti', () => rs.sign(claims({ jti: undefined }))],
  ['neither iat nor nbf', () => rs.sign(claims({ iat: undefined }))],
  ['more claims', () => rs.sign(claims({ scope: 'all', nbf: now() - 60 }))],
  ['an exp that the tolerance saves', () => rs.sign(claims({ exp: now() - TOLERANCE + 1 }))],
  [
    'a clock that is ahead within the tolerance',
    () => rs.sign(claims({ iat: now() + TOLERANCE, nbf: now() + TOLERANCE, exp: now() + 300 + TOLERANCE })),
  ],
  [
    'jku, jwk and x5u, which are ignored',
    () => rs.sign(claims(), { jku: 'https://evil.example/', jwk: otherSigner.jwk, x5u: 'https://evil.example/' }),
  ],
  // Algorithm confusion.
  ...['none', 'None', 'nOnE', ''].map((alg): [string, () => string, string] => [
    `the algorithm "${alg}"`,
    () => unsigned(alg),
    ALG,
  ]),
  ['HS256 with the public key as PEM', () => hs256(pemOf(rs.publicKey)), ALG],
  ['HS256 with the trimmed PEM', () => hs256(pemOf(rs.publicKey).trim()), ALG],
  ['HS256 with the JSON of the key', () => hs256(JSON.stringify(rs.jwk)), ALG],
  ['HS256 with a secret that the key set has', () => hs256(SHARED, 'oct'), ALG],
  ['ES256 in the header, and an RSA key', () => rs.sign(claims(), { alg: 'ES256' }), SIGNATURE],
  ['ES256 in the header, and a key of ES384', () => es384.sign(claims(), { alg: 'ES256' }), SIGNATURE],
  [
    'RS256 with a key for PS256',
    () => assemble({ alg: 'RS256', kid: ps.kid }, claims(), signatureOf('RS256', ps.privateKey)),
    SIGNATURE,
  ],
  ['PS256 in the header, and a signature of RS256', () => rs.sign(claims(), { alg: 'PS256' }), SIGNATURE],
  ['a key for encryption', () => encrypting.sign(claims()), SIGNATURE],
  ['a key whose key_ops lack verify', () => wrapping.sign(claims()), SIGNATURE],
  ['a private key that the key set publishes', () => secret.sign(claims()), SIGNATURE],
  ['an RSA key of 1024 bits', () => weak.sign(claims()), SIGNATURE],
  ['a key of the header', () => otherSigner.sign(claims(), { kid: undefined, jwk: otherSigner.jwk }), SIGNATURE],
  ['crit', () => rs.sign(claims(), { crit: ['exp'], exp: 1 }), FORM],
  ['b64', () => rs.sign(claims(), { b64: false }), FORM],
  ['a header with alg twice', () => rs.sign(claims(), `{"alg":"none","alg":"RS256","kid":"${rs.kid}"}`), FORM],
  ['claims with sub twice', () => rs.sign(`{"sub":"x",${JSON.stringify(claims()).slice(1)}`), FORM],
  ['claims that are a list', () => rs.sign('[]'), FORM],
  // Other keys.
  ["another client's key with the same kid", () => otherSigner.sign(claims()), SIGNATURE],
  ['an unknown kid', () => rs.sign(claims(), { kid: 'other' }), SIGNATURE],
  ['the kid of another key', () => rs.sign(claims(), { kid: ps.kid }), SIGNATURE],
  ['kid __proto__', () => rs.sign(claims(), `{"alg":"RS256","kid":"__proto__"}`), SIGNATURE],
  ['a kid that is a number', () => rs.sign(claims(), { kid: 1 }), FORM],
  ['another payload', () => withOtherPayload(rs.sign(claims())), SIGNATURE],
  // Names and audiences.
  ['another issuer', () => rs.sign(claims({ iss: 'https://client.example/oauth/other.json' })), NAMES],
  ['another subject', () => rs.sign(claims({ sub: 'https://client.example/oauth/other.json' })), NAMES],
  ['the host in capitals', () => rs.sign(claims({ iss: CLIENT.replace('client', 'CLIENT') })), NAMES],
  ['a slash more', () => rs.sign(claims({ sub: `${CLIENT}/` })), NAMES],
  ['a list of issuers', () => rs.sign(claims({ iss: [CLIENT] })), NAMES],
  ['no issuer', () => rs.sign(claims({ iss: undefined })), NAMES],
  ['another audience', () => rs.sign(claims({ aud: 'https://other.example' })), AUDIENCE],
  ['an audience that begins alike', () => rs.sign(claims({ aud: `${ISSUER}/` })), AUDIENCE],
  ['two audiences', () => rs.sign(claims({ aud: [ISSUER, TOKEN_ENDPOINT] })), AUDIENCE],
  ['our audience and null', () => rs.sign(claims({ aud: [ISSUER, null] })), AUDIENCE],
  ['an empty list of audiences', () => rs.sign(claims({ aud: [] })), AUDIENCE],
  ['an audience in a list in a list', () => rs.sign(claims({ aud: [[ISSUER]] })), AUDIENCE],
  ['no audience', () => rs.sign(claims({ aud: undefined })), AUDIENCE],
  ['the typ of an access token', () => rs.sign(claims(), { typ: 'at+jwt' }), TYP],
  ['the typ of a DPoP proof', () => rs.sign(claims(), { typ: 'dpop+jwt' }), TYP],
  ['a typ that is a list', () => rs.sign(claims(), { typ: ['JWT'] }), TYP],
  // Times.
  ['no exp', () => rs.sign(claims({ exp: undefined })), NUMBER],
  ['an exp that is a text', () => rs.sign(claims({ exp: String(now() + 60) })), NUMBER],
  ['an endless exp', () => rs.sign(JSON.stringify(claims({ exp: 5 })).replace('"exp":5', '"exp":1e400')), NUMBER],
  ['an exp before now', () => rs.sign(claims({ exp: now() - TOLERANCE })), 'it has expired'],
  ['a negative exp', () => rs.sign(claims({ exp: -1 })), 'it has expired'],
  ['an exp too far ahead', () => rs.sign(claims({ exp: now() + 300 + TOLERANCE + 1 })), AHEAD],
  ['an exp in milliseconds', () => rs.sign(claims({ exp: Date.now() })), AHEAD],
  ['an nbf ahead', () => rs.sign(claims({ nbf: now() + TOLERANCE + 1 })), 'its nbf must not be in the future'],
  ['an nbf that is a text', () => rs.sign(claims({ nbf: 'now' })), 'its nbf must be a number'],
  ['an nbf that is null', () => rs.sign(claims({ nbf: null })), 'its nbf must be a number'],
  ['an iat ahead', () => rs.sign(claims({ iat: now() + TOLERANCE + 1 })), 'its iat must not be in the future'],
  ['a jti that is a number', () => rs.sign(claims({ jti: 1 })), 'its jti must be a string that is not empty'],
  ['an empty jti', () => rs.sign(claims({ jti: '' })), 'its jti must be a string that is not empty'],
  // Forms.
  ['an encrypted JWT', () => `${rs.sign(claims())}.x.y`, FORM],
  ['two segments', () => 'a.b', FORM],
  ['a text', () => 'opaque', FORM],
  ['a space behind it', () => `${rs.sign(claims())} `, FORM],
  ['more than 16 KiB', () => rs.sign(claims({ more: 'x'.repeat(16_384) })), FORM],
  [
    'no assertion',
    () => ({ client_assertion_type: ASSERTION_TYPE }),
    '401 invalid_client: This client must authenticate with private_key_jwt: client_assertion',
  ],
  [
    'no type',
    () => ({ client_assertion: rs.sign(claims()) }),
    `401 invalid_client: client_assertion_type must be ${ASSERTION_TYPE}`,
  ],
  [
    'another type',
    () => ({ client_assertion: rs.sign(claims()), client_assertion_type: ASSERTION_TYPE.replace('jwt', 'saml2') }),
    `401 invalid_client: client_assertion_type must be ${ASSERTION_TYPE}`,
  ],
])('an assertion with %s', async (_what, assertion, verdict = 'accepted') => {
  stopTime();
  expect(await verdictOn(assertion(), client)).toBe(verdict);
});

test('an altered signature is refused, and does not use up the jti', async () => {
  const verifier = createVerifier();
  const assertion = es.sign(claims());
  expect(await verdictOn(altered(assertion, assertion.lastIndexOf('.') + 10), client, verifier)).toBe(SIGNATURE);
  expect(await verdictOn(assertion, client, verifier)).toBe('accepted');
});

test.each<[what: string, keys: object[], verdict: string]>([
  ['no key', [], SIGNATURE],
  ['secrets alone', [{ kty: 'oct', k: 'AAAA' }], SIGNATURE],
  ['21 keys', Array(21).fill(rs.jwk), '401 invalid_client: The key set of the client must have at most 20 keys'],
])('a key set with %s verifies nothing', async (_what, keys, verdict) => {
  expect(await verdictOn(rs.sign(claims()), withKeys(keys))).toBe(verdict);
});

const SINGLE = "its kid must single out one of the client's keys for RS256";
const { kid: _kid, ...anonymous } = rs.jwk;

// Each forged assertion would cost the time of all keys.
test.each<[what: string, keys: readonly object[], header: Readonly<Record<string, unknown>>, verdict?: string]>([
  ['no kid, and 5 keys', Array(5).fill(rs.jwk), { kid: undefined }],
  ['no kid, and 6 keys', Array(6).fill(rs.jwk), { kid: undefined }, SINGLE],
  ['a kid that 6 keys have', Array(6).fill(rs.jwk), {}, SINGLE],
  ['no kid, and 6 keys without', Array(6).fill(anonymous), { kid: undefined }, SINGLE],
  ['a kid, and 6 keys without', [rs.jwk, ...Array(6).fill(anonymous)], {}],
  ['no kid, and 6 keys for other algorithms', [rs.jwk, ...Array(6).fill(es384.jwk)], { kid: undefined }],
])('an assertion with %s', async (_what, keys, header, verdict = 'accepted') => {
  expect(await verdictOn(rs.sign(claims(), header), withKeys(keys))).toBe(verdict);
});

test.each<[what: string, key: () => ReturnType<typeof rsaKeyOf>, verdict?: string]>([
  ['4096 bits', () => rsaKeyOf([rs, ps], 65_537n)],
  ['4608 bits', () => rsaKeyOf([rs, ps, createSigner({ alg: 'RS256', bits: 512 })], 65_537n), SIGNATURE],
  ['an exponent of 32 bits', () => rsaKeyOf([rs], 4_294_967_291n)],
  ['an exponent of 33 bits', () => rsaKeyOf([rs], 4_294_967_311n), SIGNATURE],
  ['an exponent of 521 bits', () => rsaKeyOf([rs], 2n ** 521n - 1n), SIGNATURE],
])('an RSA key of %s', async (_what, key, verdict = 'accepted') => {
  const { jwk, sign } = key();
  expect(await verdictOn(sign(claims()), withKeys([jwk]))).toBe(verdict);
});

test.each<[string, string | undefined]>([
  [rs.sign(claims()), CLIENT],
  [otherSigner.sign(claims({ sub: 'https://other.example/x' })), 'https://other.example/x'],
  [rs.sign(claims({ sub: 1 })), undefined],
  [rs.sign({}), undefined],
  ['opaque', undefined],
  ['', undefined],
])('the client id that an assertion names, unverified (%#)', (assertion, id) => {
  expect(clientIdOfAssertion(assertion)).toBe(id);
});
