import { UpstreamError } from '../errors.js';
import { cacheLifetimeSeconds } from '../http/cache-lifetime.js';
import { CallError, callServer, type ServerAnswer } from '../http/call-server.js';
import { isLoopbackHost } from '../http/loopback.js';
import type { Logger } from '../logger.js';

/** What we need of an authorization server's metadata (RFC 8414, section 2), checked. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: URL;
  readonly tokenEndpoint: URL;
  readonly registrationEndpoint: URL | undefined;
  readonly revocationEndpoint: URL | undefined;
  /** RFC 9207: its authorization responses always carry `iss`. */
  readonly sendsIss: boolean;
  /** The whole document, as it came. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** Where the metadata is, and what it must say. */
export interface MetadataSource {
  readonly urls: readonly URL[];
  /** RFC 8414, section 3.3: compared byte for byte. */
  readonly issuer: string;
  readonly allowHttp: boolean;
  readonly staleIfErrorSeconds: number;
  readonly logger: Logger;
}

/** After a fetch that failed, none is made for this long. */
const COOL_DOWN_MS = 30_000;

/**
 * Reads an authorization server's metadata when it is first needed, keeps it as long as its headers say, and relies on it
 * for `staleIfErrorSeconds` while the server is away.
 *
 * @returns A function that throws `UpstreamError` where there is no metadata to rely on.
 */
export function createServerMetadata(source: MetadataSource): () => Promise<ServerMetadata> {
  let current: ServerMetadata | undefined;
  let failure: UpstreamError | undefined;
  let fetching: Promise<void> | undefined;
  // Milliseconds since 1970.
  let freshUntil = 0;
  let trustedUntil = 0;
  let coolUntil = 0;

  async function refresh(): Promise<void> {
    try {
      const { metadata, lifetimeMs } = await fetchMetadata(source);
      current = metadata;
      freshUntil = Date.now() + lifetimeMs;
      trustedUntil = Date.now() + Math.max(lifetimeMs, source.staleIfErrorSeconds * 1000);
    } catch (error) {
      failure = error as UpstreamError;
      coolUntil = Date.now() + COOL_DOWN_MS;
      source.logger.error(`metadata of ${source.issuer}: ${(failure.cause as Error).message}`);
    }
  }

  return async () => {
    if (Date.now() >= freshUntil && (fetching !== undefined || Date.now() >= coolUntil)) {
      // Single flight: whoever comes while a fetch is under way waits for that one.
      fetching ??= refresh().finally(() => {
        fetching = undefined;
      });
      await fetching;
    }
    if (current !== undefined && Date.now() < trustedUntil) return current;
    throw failure ?? new UpstreamError('authorization_server_unavailable');
  };
}

/** @throws {UpstreamError} Whose cause is fit for a log. */
async function fetchMetadata(source: MetadataSource): Promise<{ metadata: ServerMetadata; lifetimeMs: number }> {
  let failure: unknown;
  for (const url of source.urls) {
    try {
      const { status, body, headers } = await callServer(url, { method: 'GET' });
      const metadata = readMetadata(url, { status, body }, source);
      return { metadata, lifetimeMs: cacheLifetimeSeconds(headers) * 1000 };
    } catch (error) {
      failure ??= error;
    }
  }
  const answered = !(failure instanceof CallError) || failure.answered;
  throw new UpstreamError(answered ? 'authorization_server_malformed' : 'authorization_server_unavailable', {
    cause: failure,
  });
}

function readMetadata(url: URL, answer: Omit<ServerAnswer, 'headers'>, source: MetadataSource): ServerMetadata {
  const document = answer.body;
  const fail = (reason: string) => {
    throw new CallError(`GET ${url.origin}${url.pathname} failed: ${reason}`, true);
  };
  if (answer.status !== 200) return fail(`it answered with status ${answer.status}`);
  if (document === undefined) return fail('it is not a JSON object');
  if (document.issuer !== source.issuer) return fail(`its "issuer" is not ${source.issuer}`);
  const endpoint = (name: string): URL | undefined => {
    const value = document[name];
    if (value === undefined || value === null) return undefined;
    const given = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
    return given !== undefined && isSafe(given, source) ? given : fail(`its "${name}" is not an https URL`);
  };
  return Object.freeze({
    issuer: source.issuer,
    authorizationEndpoint: endpoint('authorization_endpoint') ?? fail('it has no "authorization_endpoint"'),
    tokenEndpoint: endpoint('token_endpoint') ?? fail('it has no "token_endpoint"'),
    registrationEndpoint: endpoint('registration_endpoint'),
    revocationEndpoint: endpoint('revocation_endpoint'),
    sendsIss: document.authorization_response_iss_parameter_supported === true,
    document,
  });
}

/** CVE-2025-6514: an endpoint may be `javascript:` or `file:`. A server elsewhere must not send us to our own loopback. */
function isSafe(url: URL, { issuer, allowHttp }: MetadataSource): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol !== 'http:') return url.protocol === 'https:';
  return allowHttp || (isLoopbackHost(url.hostname) && issuer.startsWith('http:'));
}
