import { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { canParseUrl } from '../http/can-parse-url.js';
import { isLoopbackHost } from '../http/loopback.js';
import { CachedDocument } from './cached-document.js';
import { CALL_LIMITS, CallError, fetchDocument, outageOf } from './call-server.js';

/** The metadata of an authorization server (RFC 8414, section 2) whose `issuer` is the right one. */
export interface PublishedMetadata {
  /** The whole document, unchanged. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Returns an endpoint, `undefined` if the metadata has none. @throws {EndpointError} If it may not be used. */
  endpoint(name: string): URL | undefined;
  /** Returns an endpoint. @throws {EndpointError} If the metadata has none, or one that may not be used. */
  requiredEndpoint(name: string): URL;
}

/** The checked members of an authorization server's metadata (RFC 8414, section 2) at which clients log in. */
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

/** An endpoint that the metadata does not name, or that may not be used. */
export class EndpointError extends CallError {}

/** Takes what its caller needs. The metadata of a server without logins may have no more. @throws {CallError} */
type ReadMetadata<Needed> = (published: PublishedMetadata) => Needed;

/** As {@link createMetadata}, with everything that a login needs. */
export function createServerMetadata(source: MetadataSource): () => Promise<ServerMetadata> {
  return createMetadata(source, ({ document, endpoint, requiredEndpoint }) =>
    Object.freeze({
      issuer: source.issuer,
      authorizationEndpoint: requiredEndpoint('authorization_endpoint'),
      tokenEndpoint: requiredEndpoint('token_endpoint'),
      registrationEndpoint: endpoint('registration_endpoint'),
      revocationEndpoint: endpoint('revocation_endpoint'),
      sendsIss: document.authorization_response_iss_parameter_supported === true,
      document,
    }),
  );
}

/**
 * Caches an authorization server's metadata: fetches it when it is first needed, caches it as long as its headers say, and uses it
 * for `staleIfErrorSeconds` if the server is unreachable.
 *
 * @returns A function that returns what `read` returns, or throws an `UpstreamError` if there is no metadata to use.
 */
export function createMetadata<Needed extends object>(
  source: MetadataSource,
  read: ReadMetadata<Needed>,
): () => Promise<Needed> {
  const published = new CachedDocument({
    fetch: () => fetchMetadata(source, read),
    staleIfErrorSeconds: source.staleIfErrorSeconds,
    onFailure: ({ message }) => source.logger.error(`metadata of ${source.issuer}: ${message}`),
    unavailable: (outage) => new UpstreamError(outageOf(outage.cause), outage),
  });
  return () => published.get();
}

/** @throws {CallError} The error of the first URL, since the others are variants of it. */
async function fetchMetadata<Needed extends object>(
  source: MetadataSource,
  read: ReadMetadata<Needed>,
): Promise<{ document: Needed; lifetimeSeconds: number }> {
  let failure: unknown;
  const began = performance.now();
  for (const url of source.urls) {
    // All URLs are on one server. If the first call timed out, the others would too.
    if (performance.now() - began > CALL_LIMITS.timeoutMs) break;
    try {
      const { body, lifetimeSeconds } = await fetchDocument(url);
      return { document: read(publishedAt(url, body, source)), lifetimeSeconds };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function publishedAt(url: URL, document: Readonly<Record<string, unknown>>, source: MetadataSource): PublishedMetadata {
  if (document.issuer !== source.issuer) throw new CallError('GET', url, `its "issuer" is not ${source.issuer}`, true);
  const fail = (reason: string) => {
    throw new EndpointError('GET', url, reason, true);
  };
  const endpoint = (name: string): URL | undefined => {
    const value = document[name];
    if (value === undefined || value === null) return undefined;
    const given = typeof value === 'string' && canParseUrl(value) ? new URL(value) : undefined;
    return given !== undefined && isSafe(given, source) ? given : fail(`its "${name}" is not an https URL`);
  };
  return { document, endpoint, requiredEndpoint: (name) => endpoint(name) ?? fail(`it has no "${name}"`) };
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
