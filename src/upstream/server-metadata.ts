import { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { isLoopbackHost } from '../http/loopback.js';
import { CachedDocument } from './cached-document.js';
import { CALL_LIMITS, CallError, fetchDocument, outageOf } from './call-server.js';

/** The checked members of an authorization server's metadata (RFC 8414, section 2) that this package uses. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: URL;
  readonly tokenEndpoint: URL;
  readonly registrationEndpoint: URL | undefined;
  readonly revocationEndpoint: URL | undefined;
  /** True if its authorization responses always carry `iss` (RFC 9207). */
  readonly sendsIss: boolean;
  /** The whole document, unchanged. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** The URLs of the metadata, and the rules for reading it. */
export interface MetadataSource {
  readonly urls: readonly URL[];
  /** Must equal the metadata's `issuer` byte for byte (RFC 8414, section 3.3). */
  readonly issuer: string;
  readonly allowHttp: boolean;
  readonly staleIfErrorSeconds: number;
  readonly logger: Logger;
}

/**
 * Caches an authorization server's metadata: fetches it when it is first needed, caches it as long as its headers say, and uses it
 * for `staleIfErrorSeconds` if the server is unreachable.
 *
 * @returns A function that returns the metadata, or throws an `UpstreamError` if there is none to use.
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

/** @throws {CallError} The error of the first URL, since the others are variants of it. */
async function fetchMetadata(source: MetadataSource): Promise<{ document: ServerMetadata; lifetimeSeconds: number }> {
  let failure: unknown;
  const began = performance.now();
  for (const url of source.urls) {
    // All URLs are on one server. If the first call timed out, the others would too.
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

/**
 * True if an endpoint may be used. Metadata may name a `javascript:` or `file:` URL (CVE-2025-6514). Only an issuer on http may name an
 * http URL on loopback, so that no remote server makes this one call itself.
 */
export function isSafe(url: URL, { issuer, allowHttp }: Pick<MetadataSource, 'issuer' | 'allowHttp'>): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol !== 'http:') return url.protocol === 'https:';
  return allowHttp || (isLoopbackHost(url.hostname) && issuer.startsWith('http:'));
}
