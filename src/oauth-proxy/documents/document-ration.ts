import { createAllowance } from '../../core/allowance.js';
import { NamedBuckets } from '../../limits/named-buckets.js';

/** Fetches a minute. One caller alone cannot use up those of a host. */
const MAX_PER_CALLER = 6;
const MAX_PER_HOST = 30;
const MAX_PER_DOCUMENT = 6;
/** Fetches of new documents at the same time. Each takes a connection and some memory for at most three seconds. */
const MAX_IN_FLIGHT = 100;
const MINUTE_MS = 60_000;

export interface RationedFetch {
  readonly url: URL;
  /** The network of the caller. */
  readonly caller: string;
  /** True if the document was valid before. */
  readonly isKnown: boolean;
}

/** Returns the function that ends a fetch, or the milliseconds until a fetch may be made. */
export type TakeFetch = (fetch: RationedFetch) => (() => void) | number;

/**
 * Limits the fetches that anyone can cause. A document that was valid before has a limit of its own: callers who ask for others on its host
 * must not keep its users out.
 */
export function createDocumentRation(): TakeFetch {
  const [callers, hosts, documents] = [MAX_PER_CALLER, MAX_PER_HOST, MAX_PER_DOCUMENT].map(
    (max) => new NamedBuckets(() => createAllowance(max / 60, max), MINUTE_MS),
  ) as [Allowances, Allowances, Allowances];
  let inFlight = 0;
  return ({ url, caller, isKnown }) => {
    if (isKnown) return takeAll([documents.bucketOf(url.href)]) ?? (() => undefined);
    if (inFlight >= MAX_IN_FLIGHT) return 1_000;
    const wait = takeAll([callers.bucketOf(caller), hosts.bucketOf(url.host)]);
    if (wait !== undefined) return wait;
    inFlight += 1;
    return () => {
      inFlight -= 1;
    };
  };
}

type Allowance = ReturnType<typeof createAllowance>;
type Allowances = NamedBuckets<Allowance>;

/** Takes one from each, or none. Returns the milliseconds until there is one in the first that is empty. */
function takeAll(allowances: readonly Allowance[]): number | undefined {
  const empty = allowances.findIndex((allowance) => !allowance.take());
  if (empty < 0) return undefined;
  for (const allowance of allowances.slice(0, empty)) allowance.giveBack();
  return allowances[empty]?.msToNext();
}
