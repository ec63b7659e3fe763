import { type AuthInfo, issueAuth } from '../../core/auth-info.js';
import type { Evidence } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import type { ResourceIdentity } from '../../policy/resolve-resource.js';
import type { CompactJwt } from './compact-jwt.js';

/** The claims of a token. Each may have any type until `tokenFaults()` has found no fault. */
export type Claims = CompactJwt['payload'];

/** Reads a claim. Inherited members, such as `toString`, are not claims. */
export function claimOf(payload: Claims, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

/**
 * Reads a claim by its name, or by the path to it within other claims, such as `realm_access.roles`. A claim whose own name has the dots
 * comes first, at every level: the name of a client in `resource_access` may have dots, too.
 */
export function claimAt(payload: unknown, path: string): unknown {
  if (!isRecord(payload)) return undefined;
  if (Object.hasOwn(payload, path)) return payload[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    const found = Object.hasOwn(payload, name) ? claimAt(payload[name], path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** RFC 7519, section 2: NumericDate. `1e400` is valid JSON, but infinite. */
export function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Returns the value of a claim that is a string or a list of strings as a list; undefined if it is missing or has another type. */
export function stringsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

/** RFC 9068, section 2.2; OpenID Connect Core, section 2; Okta; AD FS and version 1 of Entra ID. The first one that is present counts. */
const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'];

/** Returns the name of the claim that identifies the client. */
export function clientClaimOf(payload: Claims): string | undefined {
  return CLIENT_CLAIMS.find((claim) => isClient(claim, claimOf(payload, claim)));
}

/** The short name `appid` is not a registered claim: a server may write something else there, such as a number. */
function isClient(claim: string, value: unknown): boolean {
  return claim === 'appid' ? typeof value === 'string' : value !== undefined;
}

/** The claims that hold scopes: RFC 9068, section 2.2.3; Entra ID and Okta; and the one that the policy names, which may be a path. */
export function scopeClaims(scopesClaim: string | undefined): ReadonlySet<string> {
  return new Set(scopesClaim === undefined ? ['scope', 'scp'] : ['scope', 'scp', scopesClaim]);
}

/** Returns each scope once. A string is split at spaces; each item of a list is one scope. */
export function scopesOf(payload: Claims, scopesClaim: string | undefined): string[] {
  const scopes = [...scopeClaims(scopesClaim)].flatMap((claim) => {
    const value = claimAt(payload, claim);
    return typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : stringsOf(value);
  });
  return [...new Set(scopes.filter((scope) => scope !== undefined))];
}

/** Returns the required scopes that a token lacks. */
export function missingScopes(required: readonly string[], scopes: readonly string[]): readonly string[] {
  return required.length === 0 ? required : required.filter((scope) => !scopes.includes(scope));
}

/** Builds what the application sees of a token in which `tokenFaults()` found no fault. */
export function authInfoFrom(
  { token, header, payload }: Pick<CompactJwt, 'token' | 'header' | 'payload'>,
  { scopesClaim, subjectClaim }: Pick<TrustedIssuer, 'scopesClaim' | 'subjectClaim'>,
  resource: ResourceIdentity | undefined,
): AuthInfo {
  const expiresAt = claimOf(payload, 'exp') as number | undefined;
  const subject = claimAt(payload, subjectClaim) as string | undefined;
  return issueAuth({
    token,
    clientId: (clientOf(payload) as string | undefined) ?? '',
    // An empty subject would make one user of all who have it.
    ...(subject === undefined || subject === '' ? {} : { subject }),
    scopes: scopesOf(payload, scopesClaim),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(resource === undefined ? {} : { resource: new URL(resource.href) }),
    ...(resource?.tenant === undefined ? {} : { tenant: resource.tenant }),
    extra: payload,
    header,
    payload,
  });
}

/** The claims of a refused token, for logs. If they are unverified, they may be false, or have the wrong type. */
export function claimsForLog(payload: Claims, kid?: unknown): Evidence {
  return { iss: claimOf(payload, 'iss'), sub: claimOf(payload, 'sub'), client_id: clientOf(payload), kid };
}

function clientOf(payload: Claims): unknown {
  const claim = clientClaimOf(payload);
  return claim === undefined ? undefined : claimOf(payload, claim);
}
