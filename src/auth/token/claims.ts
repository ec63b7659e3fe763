import { type AuthInfo, issueAuth } from '../../core/auth-info.js';
import { AuthError, type Evidence } from '../../core/errors.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import type { CompactJwt } from './compact-jwt.js';

/** What a token's claims are held against. */
export interface ClaimRules {
  readonly trusted: TrustedIssuer;
  readonly clockToleranceSeconds: number;
  /** As configured. */
  readonly resource: string | undefined;
}

type Claims = CompactJwt['payload'];

/**
 * Checks the claims of a token whose signature is good, and makes it what the application sees.
 *
 * @throws {AuthError}
 */
export function authInfoFrom(jwt: CompactJwt, rules: ClaimRules): AuthInfo {
  const { payload, header } = jwt;
  requireAccessToken(jwt);
  const expiresAt = requireTime(payload, rules.clockToleranceSeconds);
  requireAudience(payload, rules.trusted);
  for (const name of rules.trusted.requiredClaims) {
    if ((claimOf(payload, name) ?? null) === null) throw new AuthError('missing_claim', { claim: name });
  }
  // Not needed, but who is meant must not depend on how a number or a list is written as text.
  optionalString(payload, 'sub');
  return issueAuth({
    token: jwt.token,
    clientId: clientIdOf(payload, optionalString) ?? '',
    scopes: scopesOf(payload, rules.trusted.scopesClaim),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(rules.resource === undefined ? {} : { resource: new URL(rules.resource) }),
    extra: payload,
    header,
    payload,
  });
}

/** What a token says of itself, for logs: nothing of it need be true, or of the right type. */
export function evidenceOf({ payload, kid }: CompactJwt): Evidence {
  return { iss: claimOf(payload, 'iss'), sub: claimOf(payload, 'sub'), client_id: clientIdOf(payload, claimOf), kid };
}

/** RFC 9068, section 2.2; OpenID Connect Core, section 2; Okta's own. The first that is there counts. */
function clientIdOf<T>(payload: Claims, read: (payload: Claims, claim: string) => T | undefined): T | undefined {
  return read(payload, 'client_id') ?? read(payload, 'azp') ?? read(payload, 'cid');
}

/** Only what the token itself says counts: `toString` is no claim. */
function claimOf(payload: Claims, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

/** RFC 9068, section 2.1; and what else may stand in `typ` of an access token. */
const ACCESS_TOKEN_TYPE = /^(?:application\/)?(?:at\+)?jwt$/i;
const DECLARED_ACCESS_TOKEN = /^(?:application\/)?at\+jwt$/i;

/** An ID token says who logged in at a client; accepted here, it would let that client's users into this server. */
function requireAccessToken({ header, payload }: CompactJwt): void {
  const { typ } = header;
  if (typ !== undefined && !(typeof typ === 'string' && ACCESS_TOKEN_TYPE.test(typ))) {
    throw new AuthError('wrong_token_type', { typ });
  }
  const declared = typeof typ === 'string' && DECLARED_ACCESS_TOKEN.test(typ);
  if (!declared && claimOf(payload, 'nonce') !== undefined) throw new AuthError('wrong_token_type', { claim: 'nonce' });
}

/** Returns when the token expires, in seconds since 1970. */
function requireTime(payload: Claims, toleranceSeconds: number): number | undefined {
  const now = Date.now() / 1000;
  const exp = numericDate(payload, 'exp');
  const nbf = numericDate(payload, 'nbf');
  // The issuer's clock may be ahead of ours; but a time must be one.
  numericDate(payload, 'iat');
  if (exp !== undefined && exp + toleranceSeconds <= now) throw new AuthError('token_expired', { exp });
  if (nbf !== undefined && nbf - toleranceSeconds > now) throw new AuthError('token_not_active', { nbf });
  return exp;
}

/** RFC 7519, section 2: NumericDate. `1e400` is a JSON number, and infinite. */
function numericDate(payload: Claims, claim: string): number | undefined {
  const value = claimOf(payload, claim);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new AuthError('malformed_claim', { claim });
  return value;
}

function requireAudience(payload: Claims, { audienceClaim, audiences, provider }: TrustedIssuer): void {
  const { audienceHint } = provider ?? {};
  const evidence = {
    claim: audienceClaim,
    expected: audiences,
    ...(audienceHint === undefined ? {} : { audienceHint }),
  };
  const named = stringList(payload, audienceClaim);
  if (named === undefined) throw new AuthError('wrong_audience', evidence);
  const asCompared = audienceClaim === 'aud' ? withoutClosingSlash : exactly;
  const accepted = audiences.map(asCompared);
  if (!named.some((audience) => accepted.includes(asCompared(audience)))) {
    throw new AuthError('wrong_audience', { ...evidence, found: named });
  }
}

/** Clients differ in whether they send `https://host` or `https://host/` as `resource`; servers copy it into `aud`. */
function withoutClosingSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

function exactly(text: string): string {
  return text;
}

function scopesOf(payload: Claims, scopesClaim: string | undefined): string[] {
  const claims = scopesClaim === undefined ? ['scope', 'scp'] : ['scope', 'scp', scopesClaim];
  const scopes = claims.flatMap((claim) => stringList(payload, claim, ' ') ?? []);
  return [...new Set(scopes)];
}

/** A claim that is one string, or a list of strings; with a separator, the one string is a list too. */
function stringList(payload: Claims, claim: string, separator?: string): string[] | undefined {
  const value = claimOf(payload, claim);
  if (value === undefined) return undefined;
  if (typeof value === 'string') {
    return separator === undefined ? [value] : value.split(separator).filter((item) => item !== '');
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[];
  throw new AuthError('malformed_claim', { claim });
}

function optionalString(payload: Claims, claim: string): string | undefined {
  const value = claimOf(payload, claim);
  if (value !== undefined && typeof value !== 'string') throw new AuthError('malformed_claim', { claim });
  return value;
}
