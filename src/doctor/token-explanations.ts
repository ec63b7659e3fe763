import { claimAt, claimOf } from '../auth/token/claims.js';
import type { TokenFault } from '../auth/token/token-faults.js';
import { type Evidence, type OutageCode, type RefusalCode, UpstreamError } from '../core/errors.js';
import type { JwksSource } from '../policy/jwks-source.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { TrustedIssuer } from '../policy/resolve-issuer.js';
import { durationText } from './duration-text.js';
import { shown } from './shown.js';

/** The fault as seen in the token, and the advice. */
type Explanation = readonly [seen: string, fix: string];

/** A token, and the policy that checked it. */
export interface CheckedToken {
  readonly payload: Readonly<Record<string, unknown>>;
  /** Undefined if the token cannot be read. */
  readonly trusted: TrustedIssuer | undefined;
  readonly policy: ResolvedAuth;
}

/** The fault as seen in the token, the meaning of its code, and the advice. */
export function explanationOf(fault: TokenFault, checked: CheckedToken): [seen: string, affects: string, fix: string] {
  const { code, evidence, message } = fault.error;
  const explanations: Partial<Record<RefusalCode | OutageCode, Explanation | Explain>> = EXPLANATIONS;
  const known = explanations[code] ?? unlisted(fault);
  const [seen, fix] = typeof known === 'function' ? known(evidence, checked, fault) : known;
  return [seen, `${message}.`, fix];
}

/** An outage says nothing about the token: the doctor could not ask the server that knows it. */
function unlisted({ error }: TokenFault): Explanation {
  const { code, evidence } = error;
  if (!(error instanceof UpstreamError)) return ['refused', `See ${code} in docs/errors.md.`];
  const reason = typeof evidence.reason === 'string' ? ` (${evidence.reason})` : '';
  return [`not checked: ${code}${reason}`, `See ${code} in docs/errors.md; the doctor may be on another network.`];
}

const ANOTHER_TOKEN = 'Get a fresh token from the authorization server.';
const CORRECT_CLAIM = 'Correct this claim in the configuration of the authorization server.';

type Explain = (evidence: Evidence, checked: CheckedToken, fault: TokenFault) => Explanation;

/** Refusals that do not depend on the token alone: the doctor cannot find them in a token, or asks the server that issued it. */
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
  | 'unknown_api_key'
  | 'inactive_token'
  | 'unknown_issued_token'
  | 'call_denied';

/** One row for every other refusal code, as the compiler requires: those depend on the token alone. */
export const EXPLANATIONS: Readonly<
  Record<Exclude<RefusalCode, RequestFault> | 'key_set_unavailable', Explanation | Explain>
> = {
  malformed_header: ['characters that a token cannot have', 'Put only the access token into the file.'],
  token_too_long: ({ bytes }, { policy }) => [
    `${bytes} bytes, but maxTokenBytes is ${policy.maxTokenBytes}`,
    'Make the authorization server write fewer claims into it, or raise maxTokenBytes.',
  ],
  encrypted_token: ['encrypted (JWE)', 'Make the authorization server sign access tokens instead of encrypting them.'],
  opaque_token: [
    'opaque, not a JWT',
    'Make the authorization server issue JWT access tokens; Auth0 does if clients name an audience.',
  ],
  malformed_token: ['three parts that are not a JWT', 'Copy the whole token.'],
  critical_extension: ['crit or b64 in the header', 'Make the authorization server leave it out.'],
  unknown_issuer: (_evidence, { payload, policy }) =>
    policy.issuers.length === 0
      ? ['a JWT, and the policy accepts the JWTs of no issuer', 'Send a credential that the policy accepts.']
      : [
          `${shown(claimOf(payload, 'iss'))}, expected ${policy.issuers.map(({ issuer }) => issuer).join(' or ')}`,
          'If you trust that server, set issuer to exactly this value, closing slash included.',
        ],
  unsupported_algorithm: ({ alg, kid, reason }) => [
    `${alg} ${kid === undefined ? 'is not accepted' : `is not the algorithm of key ${shown(kid)}`}${reason === undefined ? '' : ` for ${reason}`}`,
    'Make the authorization server sign with RS256, PS256, ES256 or EdDSA, and a key for it.',
  ],
  unknown_key: ({ kid, reason }, { trusted }) => [
    typeof reason === 'string' ? reason : `no key ${shown(kid)} in ${placeOf(trusted?.jwksSource)}`,
    ANOTHER_TOKEN,
  ],
  bad_signature: ['does not match the key that the token names', ANOTHER_TOKEN],
  key_set_unavailable: (_evidence, { trusted }, { error }) => [
    `${placeOf(trusted?.jwksSource)} cannot be used${error.cause instanceof Error ? ` (${error.cause.message})` : ''}`,
    'Check that the metadata, or the policy, names a key set that can be read.',
  ],
  wrong_token_type: ({ typ, claim, value }) => [
    claim === undefined
      ? `not that of an access token: typ is ${shown(typ)} in its header`
      : `not that of an access token: it has ${claim}${value === undefined ? '' : ` ${shown(value)}`}`,
    'Send the access_token. If it is one, make the authorization server say so with typ at+jwt in its header.',
  ],
  token_expired: ({ exp }, { policy }) => [
    `expired ${durationText(Date.now() / 1000 - Number(exp))} ago; ${toleranceText(policy)}`,
    'Refresh it, or log in again.',
  ],
  token_not_active: ({ nbf }, { policy }) => [
    `valid in ${durationText(Number(nbf) - Date.now() / 1000)}; ${toleranceText(policy)}`,
    'Correct the clocks of this machine and of the authorization server.',
  ],
  wrong_audience: ({ claim, expected, audienceHint, reason }, { payload }) => [
    `${shown(claimOf(payload, String(claim)))}, expected ${reason === undefined ? '' : 'only '}${(expected as readonly string[]).join(' or ')}`,
    typeof audienceHint === 'string'
      ? `For ${(expected as readonly string[]).join(', ')}: ${audienceHint}.`
      : 'Make clients send resource, add an Audience mapper in Keycloak, or add this audience to audiences.',
  ],
  missing_claim: ({ claim }, { payload }) => [
    shown(claimOf(payload, String(claim))),
    'Make the authorization server set it, or remove it from jwtValidationOptions.requiredClaims.',
  ],
  malformed_claim: ({ claim }, { payload }, { check }) => {
    const value = shown(claimAt(payload, String(claim)));
    if (check === 'time') return [`${claim} is ${value}, not a number of seconds`, CORRECT_CLAIM];
    if (check === 'names') return [`${value}, not a string`, CORRECT_CLAIM];
    const seen = check === 'audience' ? value : `${claim} is ${value}`;
    return [`${seen}, neither a string nor a list of strings`, CORRECT_CLAIM];
  },
  bound_token: [
    'bound to a key or a certificate, but sent without a proof',
    'Set senderConstraint if the server should accept bound tokens; the doctor has no proof to send.',
  ],
  dpop_required: [
    'not bound to a key',
    'Make the client send a DPoP proof when it asks for a token: senderConstraint.dpop requires bound tokens.',
  ],
  certificate_required: [
    'needs a client certificate, which the doctor does not have',
    'Try the token with a client that has the certificate, which senderConstraint.mtls requires.',
  ],
  unsupported_confirmation: (_evidence, { payload }) => [
    `cnf is ${shown(claimOf(payload, 'cnf'))}`,
    'Make the authorization server bind it to one key (jkt) or certificate (x5t#S256).',
  ],
  insufficient_scope: ({ missing }) => [
    `lacks ${(missing as readonly string[]).join(' ')}`,
    'Log in again, and ask for these scopes.',
  ],
};

/** The clock tolerance of a policy, for a report. */
export function toleranceText({ clockToleranceSeconds }: ResolvedAuth): string {
  return `the clock tolerance is ${durationText(clockToleranceSeconds)}`;
}

function placeOf(source: JwksSource | undefined): string {
  if (source?.kind === 'url') return source.url.href;
  return source?.kind === 'file' ? source.file : 'the key set';
}
