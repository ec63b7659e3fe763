import { canParseUrl } from '../http/can-parse-url.js';
import { cacheLifetimeSeconds } from './cache-lifetime.js';
import { CALL_LIMITS, CallError, fetchDocument } from './call-server.js';
import { isSafe } from './server-metadata.js';

/** The places at which the keys of an issuer are looked for. */
export interface KeySetSearch {
  /** Must equal the metadata's `issuer` byte for byte (RFC 8414, section 3.3). */
  readonly issuer: string;
  /** The URLs where the metadata may be: RFC 8414, and OpenID Connect Discovery. */
  readonly metadataUrls: readonly URL[];
  /** The URL of the keys if the issuer has no metadata. */
  readonly fallback: URL;
  readonly allowHttp: boolean;
}

/** The place at which they were found. */
export interface KeySetPlace {
  readonly url: URL;
  /** The metadata that names the URL; undefined for the fallback. */
  readonly namedBy: URL | undefined;
}

/**
 * Finds the keys of an issuer: at the `jwks_uri` of its metadata, or at the fallback if none of the documents exists. A server that does
 * not answer, or answers 408, 429 or 500 and more, says nothing about its documents: then the keys cannot be found.
 *
 * @throws {CallError} Of the first document that exists and cannot be used, or could not be asked for.
 */
export async function findKeySet(search: KeySetSearch): Promise<{ document: KeySetPlace; lifetimeSeconds: number }> {
  const began = performance.now();
  let failure: CallError | undefined;
  for (const url of search.metadataUrls) {
    // All URLs are on one server. If the first call timed out, the others would too.
    if (failure !== undefined && performance.now() - began > CALL_LIMITS.timeoutMs) break;
    try {
      const { body, lifetimeSeconds } = await fetchDocument(url);
      return { document: { url: keySetUrlIn(url, body, search), namedBy: url }, lifetimeSeconds };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (!error.isAbsence) failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  const document = { url: search.fallback, namedBy: undefined };
  return { document, lifetimeSeconds: cacheLifetimeSeconds(new Headers()) };
}

function keySetUrlIn(at: URL, metadata: Readonly<Record<string, unknown>>, search: KeySetSearch): URL {
  const { issuer, jwks_uri: uri } = metadata;
  const refuse = (reason: string) => {
    throw new CallError('GET', at, reason, true);
  };
  if (issuer !== search.issuer) return refuse(`its "issuer" is not ${search.issuer}`);
  if (uri === undefined || uri === null) return refuse('it has no "jwks_uri"');
  const url = typeof uri === 'string' && canParseUrl(uri) ? new URL(uri) : undefined;
  return url !== undefined && isSafe(url, search) ? url : refuse('its "jwks_uri" is not an https URL');
}
