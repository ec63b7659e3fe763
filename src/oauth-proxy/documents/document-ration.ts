import { createAllowance } from '../../core/allowance.js';
import { NamedBuckets } from '../../limits/named-buckets.js';

/** Fetches a minute. One caller alone cannot use up those of a host. */
const MAX_PER_CALLER = 6;
const MAX_PER_DOCUMENT = 6;
const MAX_PER_HOST = 30;
/** Fetches at the same time. Each takes a connection and some memory for at most three seconds. */
const MAX_IN_FLIGHT = 100;
const MINUTE_MS = 60_000;

export interface RationedFetch {
  readonly url: URL;
  /** The network of the caller. */
  readonly caller: string;
  /** True if the document was valid before. */
  readonly isKnown: boolean;
}

/** Takes a fetch. Returns the function that ends it, or the milliseconds until one may be made. */
export type TakeFetch = (fetch: RationedFetch) => (() => void) | number;

/**
 * Limits the fetches that anyone can cause. Documents that were valid before have limits of their own: callers who ask for others on the
 * same host must not keep their users out.
 */
export function createDocumentRation(): TakeFetch {
  const takeNew = createRation(MAX_PER_CALLER, ({ caller }) => caller);
  const takeKnown = createRation(MAX_PER_DOCUMENT, ({ url }) => url.href);
  return (fetch) => (fetch.isKnown ? takeKnown(fetch) : takeNew(fetch));
}

/** @param max Bounds the fetches with the same name; those of a host, and all together, are bounded too. */
function createRation(max: number, nameOf: (fetch: RationedFetch) => string): TakeFetch {
  const [named, hosts] = [createAllowances(max), createAllowances(MAX_PER_HOST)];
  let inFlight = 0;
  return (fetch) => {
    if (inFlight >= MAX_IN_FLIGHT) return 1_000;
    const [own, host] = [named.bucketOf(nameOf(fetch)), hosts.bucketOf(fetch.url.host)];
    if (!own.take()) return own.msToNext();
    if (!host.take()) {
      own.giveBack();
      return host.msToNext();
    }
    inFlight += 1;
    return () => {
      inFlight -= 1;
    };
  };
}

function createAllowances(max: number) {
  return new NamedBuckets(() => createAllowance(max / 60, max), MINUTE_MS);
}
