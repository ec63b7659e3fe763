import type { AuthInfo } from '../../core/auth-info.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import { createRareLine } from '../../core/rare-line.js';
import { isRecord } from '../../http/json-object.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { ResolvedIntrospection } from '../../policy/resolve-credentials.js';
import { basicHeader, formEncode } from '../../upstream/basic-header.js';
import { CallError, callServer, type ServerAnswer, type ServerCall } from '../../upstream/call-server.js';
import { createMetadata, EndpointError } from '../../upstream/server-metadata.js';
import { authInfoFrom, type Claims, claimOf, claimsForLog } from '../token/claims.js';
import { createMissingClaimWarning } from '../token/missing-claim-warning.js';
import { claimFaults } from '../token/token-faults.js';

type Ask = (token: string) => Promise<AuthInfo | undefined>;

/**
 * Creates the function that asks an authorization server about a token (RFC 7662), and checks the claims in its answer as those of a
 * JWT. It resolves to `undefined` for an inactive token.
 */
export function createIntrospection(introspection: ResolvedIntrospection, resolved: ResolvedAuth): Ask {
  const { logger, clockToleranceSeconds } = resolved;
  const { trusted } = introspection;
  const endpointOf = createEndpoint(introspection, resolved);
  const callFor = createCall(introspection);
  const report = createRareLine((line) => logger.error(line));
  const warnOfMissingClaim = createMissingClaimWarning(logger);

  function unavailable(reason: string, cause?: unknown): UpstreamError {
    report(`introspection at ${trusted.issuer}: ${reason}`);
    return new UpstreamError('introspection_unavailable', { cause, retryAfterSeconds: 5, evidence: { reason } });
  }

  return async (token) => {
    const url = await endpointOf();
    if (typeof url === 'string') throw unavailable(url);
    const answer = await callServer(url, callFor(token)).catch((error: unknown) => {
      throw error instanceof CallError ? unavailable(error.message, error) : error;
    });
    const claims = readAnswer(answer);
    if (typeof claims === 'string') throw unavailable(`POST ${url.origin}${url.pathname} failed: ${claims}`);
    if (claims === undefined) return undefined;
    const refusal = refusalOf(claims, introspection, clockToleranceSeconds);
    if (refusal !== undefined) throw refusal.with(claimsForLog(claims));
    // Without `iss`, the answer is about a token of the server that gave it.
    const payload = { ...claims, iss: trusted.issuer };
    const auth = authInfoFrom({ token, header: {}, payload }, trusted, resolved.resource);
    warnOfMissingClaim(trusted, payload);
    return auth;
  };
}

/** Creates the function that finds the introspection endpoint. It resolves to a reason if the metadata does not name it. */
function createEndpoint(
  { endpoint, metadataUrls: urls, metadataIssuer: issuer, allowHttp }: ResolvedIntrospection,
  { staleIfErrorSeconds, logger }: Pick<ResolvedAuth, 'staleIfErrorSeconds' | 'logger'>,
): () => Promise<URL | string> {
  if (endpoint !== undefined) return async () => endpoint;
  const source = { urls, issuer, allowHttp, staleIfErrorSeconds, logger };
  const named = createMetadata(source, ({ requiredEndpoint }) => requiredEndpoint('introspection_endpoint'));
  return () =>
    named().catch((error: unknown) => {
      if (!(error instanceof UpstreamError)) throw error;
      return error.cause instanceof EndpointError
        ? 'the metadata names no https introspection_endpoint; give introspection.endpoint'
        : 'the metadata, which names its endpoint, cannot be used';
    });
}

/** Creates the function that makes the request of RFC 7662, section 2.1, with the credentials of RFC 6749, section 2.3.1. */
function createCall({ clientId, clientSecret, authMethod }: ResolvedIntrospection): (token: string) => ServerCall {
  const inForm = authMethod === 'client_secret_post';
  const credentials = inForm ? { client_id: clientId, client_secret: clientSecret } : {};
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(inForm ? {} : basicHeader(formEncode(clientId), formEncode(clientSecret))),
  };
  return (token) => ({
    method: 'POST',
    headers,
    body: new URLSearchParams({ token, token_type_hint: 'access_token', ...credentials }).toString(),
  });
}

const STATUS_ADVICE: ReadonlyMap<number, string> = new Map([
  [401, ': check clientId and clientSecret'],
  [404, ': check the endpoint'],
]);

/** Returns the claims of an active token, `undefined` for an inactive one, and a reason if the answer is neither (RFC 7662, section 2.2). */
function readAnswer({ status, text }: ServerAnswer): Claims | string | undefined {
  if (status !== 200) return `it answered with status ${status}${STATUS_ADVICE.get(status) ?? ''}`;
  const body = parseStrictly(text);
  if (!isRecord(body)) return 'it is not a JSON object';
  const { active, ...claims } = body;
  if (active === false) return undefined;
  return active === true ? claims : 'its "active" is neither true nor false';
}

/** Refuses an answer that has `active` twice: parsers differ in which one counts. */
function parseStrictly(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch {
    // The parser's message would quote the answer.
    return undefined;
  }
}

/** The values of `token_type` of an access token (RFC 6750, RFC 9449; RFC 8693, section 2.2.1). */
const ACCESS_TOKEN_TYPES = ['bearer', 'dpop', 'n_a', 'access_token', 'urn:ietf:params:oauth:token-type:access_token'];

/** Returns the first fault in the claims of an active token. */
function refusalOf(
  claims: Claims,
  { trusted, metadataIssuer }: ResolvedIntrospection,
  clockToleranceSeconds: number,
): AuthError | undefined {
  const iss = claimOf(claims, 'iss');
  if (iss !== undefined && iss !== trusted.issuer && iss !== metadataIssuer) return new AuthError('unknown_issuer');
  // Most servers know refresh tokens too, and answer that they are active.
  const type = claimOf(claims, 'token_type') ?? 'bearer';
  if (typeof type !== 'string' || !ACCESS_TOKEN_TYPES.includes(lowerAscii(type))) {
    return new AuthError('wrong_token_type', { claim: 'token_type' });
  }
  // RFC 9449, section 6.2: the answer about a bound token names its key. Without it, a thief could use the token.
  if (lowerAscii(type) === 'dpop' && claimOf(claims, 'cnf') === undefined)
    return new AuthError('unsupported_confirmation', { claim: 'cnf' });
  const { done, value } = claimFaults({ header: {}, payload: claims }, { trusted, clockToleranceSeconds }).next();
  if (done) return undefined;
  if (value.error instanceof AuthError) return withAudienceHint(value.error);
  throw value.error;
}

function withAudienceHint(error: AuthError): AuthError {
  const isMissing = error.code === 'wrong_audience' && error.evidence.found === undefined;
  return isMissing ? error.with({ hint: 'the answer names no audience: see audienceClaim' }) : error;
}
