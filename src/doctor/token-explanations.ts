import { claimOf } from '../auth/token/claims.js';
import type { TokenFault } from '../auth/token/token-faults.js';
import type { Evidence, OutageCode, RefusalCode } from '../core/errors.js';
import type { JwksSource } from '../policy/jwks-source.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { TrustedIssuer } from '../policy/resolve-issuer.js';

/** The fault as seen in the token, and the advice. */
type Explanation = readonly [seen: string, fix: string];

/** The token, and what it was examined by. */
export interface Examined {
  readonly payload: Readonly<Record<string, unknown>>;
  /** Undefined where the token cannot be read. */
  readonly trusted: TrustedIssuer | undefined;
  readonly policy: ResolvedAuth;
}

/** The fault as seen in the token, the meaning of its code, and the advice. */
export function explanationOf(fault: TokenFault, examined: Examined): [seen: string, affects: string, fix: string] {
  const { code, evidence, message } = fault.error;
  const explanations: Partial<Record<RefusalCode | OutageCode, Explanation | Explain>> = EXPLANATIONS;
  const known = explanations[code] ?? ['refused', 'docs/errors.md says what to do.'];
  const [seen, fix] = typeof known === 'function' ? known(evidence, examined, fault) : known;
  return [seen, `${message}.`, fix];
}

/** A value of any type, in a report. */
export function shown(value: unknown): string {
  // JSON has no word for what is infinite.
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing');
}

const ANOTHER_TOKEN = 'Get a fresh token from the authorization server.';
const CORRECT_CLAIM = 'Correct what the authorization server writes into tokens.';

type Explain = (evidence: Evidence, examined: Examined, fault: TokenFault) => Explanation;

/** Refusals of a request that do not depend on its token alone: the doctor cannot find them in a token. */
type RequestFault =
  | 'missing_token'
  | 'several_tokens'
  | 'repeated_header'
  | 'unusable_host'
  | 'token_revoked'
  | 'unbound_token'
  | 'missing_dpop_proof'
  | 'invalid_dpop_proof'
  | 'replayed_dpop_proof'
  | 'wrong_certificate'
  | 'call_denied';

/** Every other code of a refusal is one of the token, and has a row here: the compiler asks for it. */
export const EXPLANATIONS: Readonly<
  Record<Exclude<RefusalCode, RequestFault> | 'key_set_unavailable', Explanation | Explain>
> = {
  malformed_header: ['characters that no token has', 'Put the access token alone into the file.'],
  token_too_long: ({ bytes }, { policy }) => [
    `${bytes} bytes, and maxTokenBytes is ${policy.maxTokenBytes}`,
    'Have the authorization server write less into it, or raise maxTokenBytes.',
  ],
  encrypted_token: ['encrypted (JWE)', 'Have it sign access tokens, and not encrypt them.'],
  opaque_token: ['opaque, not a JWT', 'Auth0 gives out a JWT where clients name an audience.'],
  malformed_token: ['three parts that are not a JWT', 'Copy the whole token.'],
  critical_extension: ['crit or b64 in the header', 'Have the authorization server leave it out.'],
  unknown_issuer: (_evidence, { payload, policy }) => [
    `${shown(claimOf(payload, 'iss'))}, expected ${policy.issuers.map(({ issuer }) => issuer).join(' or ')}`,
    'Set issuer to what the token says, byte for byte, closing slash included, if that is the server you trust.',
  ],
  unsupported_algorithm: ({ alg, kid, reason }) => [
    `${alg} ${kid === undefined ? 'is not accepted' : `is not the algorithm of key ${shown(kid)}`}${reason === undefined ? '' : ` for ${reason}`}`,
    'Sign with RS256, PS256, ES256 or EdDSA, and a key for it.',
  ],
  unknown_key: ({ kid, reason }, { trusted }) => [
    typeof reason === 'string' ? reason : `no key ${shown(kid)} in ${placeOf(trusted?.jwksSource)}`,
    ANOTHER_TOKEN,
  ],
  bad_signature: ['not made with the key that it names', ANOTHER_TOKEN],
  key_set_unavailable: (_evidence, { trusted }, { error }) => [
    `${placeOf(trusted?.jwksSource)} cannot be used${error.cause instanceof Error ? ` (${error.cause.message})` : ''}`,
    'See that the metadata, or the policy, names a key set that can be read.',
  ],
  wrong_token_type: ['an ID token, or another kind', 'Send the access_token.'],
  token_expired: ({ exp }, { policy }) => [
    `expired ${Math.floor(Date.now() / 1000 - Number(exp))} seconds ago; ${policy.clockToleranceSeconds} are tolerated`,
    'Refresh it, or log in again.',
  ],
  token_not_active: ({ nbf }, { policy }) => [
    `good in ${Math.ceil(Number(nbf) - Date.now() / 1000)} seconds; ${policy.clockToleranceSeconds} are tolerated`,
    'Set the clocks right.',
  ],
  wrong_audience: ({ claim, expected, audienceHint }, { payload }) => [
    `${shown(claimOf(payload, String(claim)))}, expected ${(expected as readonly string[]).join(' or ')}`,
    typeof audienceHint === 'string'
      ? `For ${(expected as readonly string[]).join(', ')}: ${audienceHint}.`
      : 'Have clients send resource; at Keycloak add an Audience mapper; or name the audience in audiences.',
  ],
  missing_claim: ({ claim }, { payload }) => [
    shown(claimOf(payload, String(claim))),
    'Have the authorization server set it, or leave it out of jwtValidationOptions.requiredClaims.',
  ],
  malformed_claim: ({ claim }, { payload }, { check }) => {
    const value = shown(claimOf(payload, String(claim)));
    if (check === 'time') return [`${claim} is ${value}, not a number of seconds`, CORRECT_CLAIM];
    if (check === 'names') return [`${value}, not text`, CORRECT_CLAIM];
    const seen = check === 'audience' ? value : `${claim} is ${value}`;
    return [`${seen}, neither text nor a list of texts`, CORRECT_CLAIM];
  },
  bound_token: [
    'bound to a key or a certificate, and sent without a proof',
    'Set senderConstraint, where the server is to take bound tokens; the doctor has no proof to send.',
  ],
  dpop_required: [
    'not bound to a key',
    'Have the client ask for a token with a DPoP proof, which senderConstraint.dpop requires.',
  ],
  certificate_required: [
    'a certificate is needed that the doctor does not show',
    'Try it with a client that has the certificate, which senderConstraint.mtls requires.',
  ],
  unsupported_confirmation: (_evidence, { payload }) => [
    `cnf is ${shown(claimOf(payload, 'cnf'))}`,
    'Have the authorization server bind it to one key (jkt) or certificate (x5t#S256).',
  ],
  insufficient_scope: ({ missing }) => [
    `lacks ${(missing as readonly string[]).join(' ')}`,
    'Ask for these scopes when logging in.',
  ],
};

function placeOf(source: JwksSource | undefined): string {
  if (source?.kind === 'url') return source.url.href;
  return source?.kind === 'file' ? source.file : 'the key set';
}
