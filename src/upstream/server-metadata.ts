import { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { isLoopbackHost } from '../http/loopback.js';
import { CachedDocument } from './cached-document.js';
import { CALL_LIMITS, CallError, fetchDocument, outageOf } from './call-server.js';

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

/**
 * Reads an authorization server's metadata when it is first needed, keeps it as long as its headers say, and relies on it
 * for `staleIfErrorSeconds` while the server is away.
 *
 * @returns A function that throws `UpstreamError` where there is no metadata to rely on.
 */
export function createServerMetadata(source: MetadataSource): () => Promise<ServerMetadata> {
  const published = new CachedDocument({
    fetch: () => fetchMetadata(source),
    staleIfErrorSeconds: source.staleIfErrorSeconds,
    onFailure: ({ message }) => source.logger.error(`metadata of ${source.issuer}: ${message}`),
    unavailable: (outage) => new UpstreamError(outageOf(outage.cause), outage),
  });
  return () => published.get();
}

/** @throws {CallError} What was wrong at the first of the addresses: the others are other forms of it. */
async function fetchMetadata(source: MetadataSource): Promise<{ document: ServerMetadata; lifetimeSeconds: number }> {
  let failure: unknown;
  const began = performance.now();
  for (const url of source.urls) {
    // All of them are at one server: where it took the whole time not to answer, it would do so again.
    if (performance.now() - began > CALL_LIMITS.timeoutMs) break;
    try {
      const { body, lifetimeSeconds } = await fetchDocument(url);
      return { document: readMetadata(url, body, source), lifetimeSeconds };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function readMetadata(url: URL, document: Readonly<Record<string, unknown>>, source: MetadataSource): ServerMetadata {
  const fail = (reason: string) => {
    throw new CallError('GET', url, reason, true);
  };
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
export function isSafe(url: URL, { issuer, allowHttp }: Pick<MetadataSource, 'issuer' | 'allowHttp'>): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol !== 'http:') return url.protocol === 'https:';
  return allowHttp || (isLoopbackHost(url.hostname) && issuer.startsWith('http:'));
}
