import type { IncomingMessage } from 'node:http';
import { type AuthInfo, apiKeyOf } from '../core/auth-info.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import { userOf } from '../core/principal.js';
import type { McpCall } from '../messages/mcp-call.js';
import type { StoreBucket } from '../store/store.js';
import { callerNetwork } from './caller-address.js';
import type { Limit, LimitFunction, ResolvedLimit } from './limits-options.js';
import { NamedBuckets } from './named-buckets.js';
import { shorten } from './short-name.js';

/** A request that is counted. */
export interface CountedRequest {
  readonly req: IncomingMessage;
  readonly auth: AuthInfo | undefined;
  readonly calls: readonly McpCall[];
}

/** The buckets from which a request takes, and the limit that each is of: its place in the list of limits. */
export interface CountedBuckets {
  readonly buckets: readonly StoreBucket[];
  readonly limits: readonly number[];
}

/** Returns the buckets from which a request takes. */
export type BucketCount = (request: CountedRequest) => CountedBuckets;

/** Adds the buckets of one limit. */
type LimitCount = (request: CountedRequest, buckets: StoreBucket[]) => void;

/** Creates the count for all limits together. */
export function createBucketCount(limits: readonly ResolvedLimit[]): BucketCount {
  const functions = limits.filter(({ per }) => typeof per === 'function');
  const counts = limits.map((limit) => createCount(limit, nameOfLimit(limit, functions.indexOf(limit))));
  return (request) => {
    const buckets: StoreBucket[] = [];
    const owners: number[] = [];
    for (let i = 0; i < counts.length; i++) {
      (counts[i] as LimitCount)(request, buckets);
      while (owners.length < buckets.length) owners.push(i);
    }
    return { buckets, limits: owners };
  };
}

/** Limits that are alike have the same name in every replica. Functions have no name, so their order tells them apart. */
function nameOfLimit({ per, capacity, refill, everyMs }: ResolvedLimit, index: number): string {
  return `${typeof per === 'function' ? `function-${index}` : per}:${capacity}:${refill}:${everyMs}`;
}

function createCount({ per, capacity, refill, everyMs }: ResolvedLimit, name: string): LimitCount {
  const creator =
    (kind: 'known' | 'anonymous') =>
    (suffix: string): StoreBucket =>
      Object.freeze({ key: shorten(`${name}:${kind}${suffix}`), capacity, refill, everyMs, cost: 1 });
  const keepMs = Math.ceil(capacity / refill) * everyMs;
  const known = creator('known');
  const anonymous = new NamedBuckets(creator('anonymous'), keepMs);
  // Callers choose the names of tools. The application chooses the names that a function returns for known callers.
  if (per === 'tool') return countCalls(toolOf, anonymous, new NamedBuckets(known, keepMs));
  if (typeof per === 'function')
    return countCalls(checkedName(per), anonymous, { bucketOf: (own) => known(`:${own}`) });
  // Requests with the same token share one AuthInfo.
  const callers = new WeakMap<AuthInfo, StoreBucket>();
  const bucketOf = (auth: AuthInfo): StoreBucket => {
    const bucket = callers.get(auth) ?? known(`:${nameOfCaller(per, auth)}`);
    callers.set(auth, bucket);
    return bucket;
  };
  return ({ req, auth, calls }, buckets) => {
    const bucket = auth === undefined ? anonymous.bucketOf(callerNetwork(req)) : bucketOf(auth);
    buckets.push(calls.length > 1 ? { ...bucket, cost: calls.length } : bucket);
  };
}

/** Counts each call of a request in the bucket that it names. */
function countCalls(nameOf: LimitFunction, anonymous: Named, known: Named): LimitCount {
  return ({ req, auth, calls }, buckets) => {
    const named = auth === undefined ? anonymous : known;
    const bucketOf = (call: McpCall | undefined) => {
      const name = nameOf(auth, call, req);
      return name === undefined ? undefined : named.bucketOf(name);
    };
    if (calls.length < 2) {
      const bucket = bucketOf(calls[0]);
      if (bucket !== undefined) buckets.push(bucket);
      return;
    }
    const costs = new Map<string, StoreBucket>();
    for (const call of calls) {
      const bucket = bucketOf(call);
      if (bucket !== undefined) costs.set(bucket.key, { ...bucket, cost: (costs.get(bucket.key)?.cost ?? 0) + 1 });
    }
    buckets.push(...costs.values());
  };
}

type Named = Pick<NamedBuckets<StoreBucket>, 'bucketOf'>;

/** Names the bucket of a caller. A token that names no client, and a caller without an API key, count as the user. */
function nameOfCaller(per: Exclude<Limit['per'], 'tool' | LimitFunction>, auth: AuthInfo): string {
  const user = userOf(auth) as string;
  if (per === 'client')
    return auth.clientId === '' ? user : JSON.stringify({ client: auth.clientId, issuer: auth.payload.iss });
  return per === 'key' ? (apiKeyOf(auth) ?? user) : user;
}

const toolOf: LimitFunction = (_auth, call) => (call?.method === 'tools/call' ? call.target : undefined);

function checkedName(limit: LimitFunction): LimitFunction {
  return (auth, call, req) => {
    const name: unknown = limit(auth, call, req);
    if (name === undefined || (typeof name === 'string' && name !== '')) return name;
    ignoreRejection(name);
    throw new TypeError(
      `mcpLimits(): a function in "per" must return a non-empty string or undefined, but returned ${describeReturned(name)}`,
    );
  };
}

/** Describes a value without quoting it: it may be secret. */
function describeReturned(value: unknown): string {
  if (value === '') return 'an empty string';
  if (value === null) return 'null';
  return value instanceof Promise ? 'a promise: it must be synchronous' : `a value of type ${typeof value}`;
}
