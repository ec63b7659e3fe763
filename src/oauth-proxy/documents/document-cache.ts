import { LRUCache } from 'lru-cache';
import { UpstreamError } from '../../core/errors.js';
import type { StartFetch } from './document-fetch-limit.js';

const MAX_DOCUMENTS = 1_000;
const MAX_BYTES = 8_388_608;

/** A document as it was fetched and checked. */
export interface Fetched<T> {
  readonly document: T;
  readonly lifetimeSeconds: number;
  readonly bytes: number;
}

interface Kept<T> extends Fetched<T> {
  /** On the clock of `performance.now()`: setting the system time back must not prolong a lifetime. */
  readonly until: number;
  /** On the clock of `Date.now()`: the other clock stops while the machine sleeps. */
  readonly untilDate: number;
}

export interface DocumentRequest<T> {
  readonly url: URL;
  /** The network of the caller, which counts its fetches. */
  readonly caller: string;
  /** True if the operator has listed this document: it counts as one that was valid before. */
  readonly isListed: boolean;
  /** A cached document that lacks what is needed, so that a newer one is fetched. */
  readonly insufficient?: T | undefined;
}

/**
 * Caches valid documents, with one fetch at a time for each URL. It keeps no errors and no invalid documents (the draft forbids it), so the
 * fetches are limited. A document that is too old is not used, but it shows that its URL is that of a real client.
 *
 * @param fetch Fetches and checks a document.
 */
export function createDocumentCache<T extends object>(
  fetch: (url: URL) => Promise<Fetched<T>>,
  startFetch: StartFetch,
) {
  const kept = new LRUCache<string, Kept<T>>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ bytes }) => bytes + 1_024,
  });
  const inFlight = new Map<string, Promise<T>>();

  async function fetchAndKeep(url: URL, end: () => void): Promise<T> {
    try {
      const fetched = await fetch(url);
      const ms = fetched.lifetimeSeconds * 1_000;
      kept.set(url.href, { ...fetched, until: performance.now() + ms, untilDate: Date.now() + ms });
      return fetched.document;
    } finally {
      end();
      inFlight.delete(url.href);
    }
  }

  /** @throws What `fetch` throws, or an `UpstreamError` if too many documents are asked for. */
  return async function get({ url, caller, isListed, insufficient }: DocumentRequest<T>): Promise<T> {
    const known = kept.get(url.href);
    if (known !== undefined && known.document !== insufficient && isFresh(known)) return known.document;
    const shared = inFlight.get(url.href);
    if (shared !== undefined) return shared;
    const started = startFetch({ url, caller, isKnown: isListed || known !== undefined });
    if (typeof started === 'number') throw tooManyFetches(url, started);
    const fetching = fetchAndKeep(url, started);
    inFlight.set(url.href, fetching);
    return fetching;
  };
}

function isFresh({ until, untilDate }: Kept<object>): boolean {
  return performance.now() < until && Date.now() < untilDate;
}

function tooManyFetches(url: URL, waitMs: number): UpstreamError {
  const retryAfterSeconds = Math.ceil(waitMs / 1_000);
  return new UpstreamError('too_many_client_documents', {
    cause: new Error(`too many were asked for, so ${url.host} is not called for another within ${retryAfterSeconds} s`),
    retryAfterSeconds,
  });
}
