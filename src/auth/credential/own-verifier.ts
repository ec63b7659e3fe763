import { type AuthInfo, issueAuth } from '../../core/auth-info.js';
import { AuthError } from '../../core/errors.js';
import { canParseUrl } from '../../http/can-parse-url.js';
import { isRecord, jsonCopy } from '../../http/json-object.js';
import { withoutClosingSlash } from '../../http/well-known.js';
import type { Verifier, VerifierResult } from '../../policy/credential-options.js';
import { DERIVED_CLAIMS } from '../../policy/derived-claims.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { callInTime, outageFor } from './in-time.js';

type Ask = (token: string) => Promise<AuthInfo | undefined>;

/** Creates the function that asks one of the option `verifiers` about a token. It resolves to `undefined` for an unknown token. */
export function createOwnVerifier(verifier: Verifier, index: number, resolved: ResolvedAuth): Ask {
  const who = `verifiers[${index}]`;
  // Users of two functions may have the same name.
  const ownIssuer = `urn:express-mcp-auth:verifier:${index}`;
  const resource = resolved.resource?.href;

  return async (token) => {
    const context = { who, code: 'verifier_unavailable', credential: token } as const;
    const given: unknown = await callInTime<unknown>(() => verifier(token), context);
    if (given === undefined || given === null) return undefined;
    let result: VerifierResult;
    try {
      result = readResult(given);
    } catch (error) {
      throw outageFor(error, context);
    }
    const { expiresAt } = result;
    if (expiresAt !== undefined && expiresAt + resolved.clockToleranceSeconds <= Date.now() / 1_000) {
      throw new AuthError('token_expired', { exp: expiresAt, sub: result.subject });
    }
    if (resource !== undefined && result.resource !== undefined && !isSame(result.resource, resource)) {
      throw new AuthError('wrong_audience', {
        claim: 'resource',
        expected: [resource],
        found: [String(result.resource)],
      });
    }
    return authInfoOf(token, result, { issuer: ownIssuer, resource });
  };
}

function isSame(given: URL | string, resource: string): boolean {
  return withoutClosingSlash(String(given)) === withoutClosingSlash(resource);
}

/** In the year 5138. A larger number is meant in milliseconds, and the token would never expire. */
const LAST_SECOND = 1e11;

/** @throws {Error} If a member has the wrong type: a result that is not understood must not become an identity. */
function readResult(given: unknown): VerifierResult {
  if (!isRecord(given)) throw new TypeError('it returned neither an object nor undefined');
  const { subject, clientId, scopes, expiresAt, issuer, resource, extra } = given;
  for (const [name, value] of Object.entries({ subject, clientId, issuer })) {
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(`it returned a "${name}" that is no text`);
  }
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string')) {
    throw new TypeError('it returned no "scopes", a list of texts');
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt))
    throw new TypeError('it returned an "expiresAt" that is no number');
  if (Number(expiresAt) >= LAST_SECOND)
    throw new TypeError('it returned an "expiresAt" in milliseconds: divide it by 1000');
  if (resource !== undefined && !canParseUrl(String(resource)))
    throw new TypeError('it returned a "resource" that is no URL');
  if (extra !== undefined && !isRecord(extra)) throw new TypeError('it returned an "extra" that is no object');
  return {
    subject,
    clientId,
    scopes: [...scopes],
    expiresAt,
    issuer,
    resource,
    extra: furtherClaims(extra),
  } as VerifierResult;
}

/** Without the claims that the other members decide on: rules would read another caller there than sessions and limits have. */
function furtherClaims(extra: Record<string, unknown> = {}): Record<string, unknown> {
  // A copy, since it will be frozen.
  const claims = Object.entries(jsonCopy(extra));
  return Object.fromEntries(claims.filter(([name]) => !DERIVED_CLAIMS.includes(name)));
}

function authInfoOf(
  token: string,
  { subject, clientId = '', scopes, expiresAt, issuer, extra }: VerifierResult,
  own: { readonly issuer: string; readonly resource: string | undefined },
): AuthInfo {
  const hasSubject = subject !== undefined && subject !== '';
  const payload = {
    ...extra,
    iss: issuer === undefined || issuer === '' ? own.issuer : issuer,
    ...(hasSubject ? { sub: subject } : {}),
    ...(clientId === '' ? {} : { client_id: clientId }),
    scope: scopes.join(' '),
    ...(expiresAt === undefined ? {} : { exp: expiresAt }),
  };
  return issueAuth({
    token,
    clientId,
    ...(hasSubject ? { subject } : {}),
    scopes: [...new Set(scopes)],
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(own.resource === undefined ? {} : { resource: new URL(own.resource) }),
    extra: payload,
    header: {},
    payload,
  });
}
