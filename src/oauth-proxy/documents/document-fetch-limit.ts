import { createAllowance } from '../../core/allowance.js';
import { NamedBuckets } from '../../limits/named-buckets.js';

/** Fetches a minute. One caller alone cannot use up those of a host. */
const MAX_PER_CALLER = 6;
const MAX_PER_DOCUMENT = 6;
const MAX_PER_HOST = 30;
/** Fetches at the same time. Each takes a connection and some memory for at most three seconds. */
const MAX_IN_FLIGHT = 100;
const MINUTE_MS = 60_000;

/** A fetch that a caller has caused. */
export interface LimitedFetch {
  readonly url: URL;
  /** The network of the caller. */
  readonly caller: string;
  /** True if the document was valid before. */
  readonly isKnown: boolean;
}

/** Counts a fetch. Returns the function to call when it has ended; or, if it must not begin now, the milliseconds until it may. */
export type StartFetch = (fetch: LimitedFetch) => (() => void) | number;

/**
 * Limits the fetches that anyone can cause. Documents that were valid before have limits of their own: callers who ask for other documents of
 * the same host must not lock out the users of these.
 */
export function createFetchLimit(): StartFetch {
  const startNew = createLimit(MAX_PER_CALLER, ({ caller }) => caller);
  const startKnown = createLimit(MAX_PER_DOCUMENT, ({ url }) => url.href);
  return (fetch) => (fetch.isKnown ? startKnown(fetch) : startNew(fetch));
}

/** @param max The fetches a minute with the same name. Those of a host, and all at the same time, are bounded too. */
function createLimit(max: number, nameOf: (fetch: LimitedFetch) => string): StartFetch {
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
