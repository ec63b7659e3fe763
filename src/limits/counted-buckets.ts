import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { apiKeyOf } from '../core/api-key.js';
import type { AuthInfo } from '../core/auth-info.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import { userOf } from '../core/principal.js';
import type { McpCall } from '../messages/mcp-call.js';
import type { StoreBucket } from '../store/store.js';
import { BoundedNames } from './bounded-names.js';
import { callerNetwork } from './caller-address.js';
import type { Limit, LimitFunction, ResolvedLimit } from './limits-options.js';

/** A request that is counted. */
export interface CountedRequest {
  readonly req: IncomingMessage;
  readonly auth: AuthInfo | undefined;
  readonly calls: readonly McpCall[];
}

/** Returns the buckets from which a request takes. */
export type BucketCount = (request: CountedRequest) => StoreBucket[];

/** Creates the count for all limits together. */
export function createBucketCount(limits: readonly ResolvedLimit[]): BucketCount {
  const functions = limits.filter(({ per }) => typeof per === 'function');
  const counts = limits.map((limit) => createCount(limit, nameOfLimit(limit, functions.indexOf(limit))));
  return (request) => counts.flatMap((count) => count(request));
}

/** Limits that are alike have the same name in every replica. Functions have none, so that their order tells them apart. */
function nameOfLimit({ per, capacity, refill, everyMs }: ResolvedLimit, index: number): string {
  return `${typeof per === 'function' ? `function-${index}` : per}:${capacity}:${refill}:${everyMs}`;
}

function createCount(limit: ResolvedLimit, name: string): BucketCount {
  const { per, capacity, refill, everyMs } = limit;
  const names = new BoundedNames(Math.ceil(capacity / refill) * everyMs);
  const bucket = (auth: AuthInfo | undefined, suffix: string, cost: number): StoreBucket => {
    const key = `${name}:${auth === undefined ? 'anonymous' : 'known'}${suffix}`;
    return { key: shorten(key), capacity, refill, everyMs, cost };
  };
  if (per === 'tool' || typeof per === 'function') {
    const nameCall = per === 'tool' ? toolOf : ownName(per);
    return ({ req, auth, calls }) => {
      // Callers choose the names of tools. What a function returns for known callers is the application's choice.
      const isOpen = per === 'tool' || auth === undefined;
      const costs = new Map<string, number>();
      for (const call of calls.length === 0 ? [undefined] : calls) {
        const given = nameCall(auth, call, req);
        if (given === undefined) continue;
        const suffix = isOpen ? names.boundedName(given) : `:${given}`;
        costs.set(suffix, (costs.get(suffix) ?? 0) + 1);
      }
      return [...costs].map(([suffix, cost]) => bucket(auth, suffix, cost));
    };
  }
  return ({ req, auth, calls }) => {
    const suffix = auth === undefined ? names.boundedName(callerNetwork(req)) : `:${nameOfCaller(per, auth)}`;
    return [bucket(auth, suffix, Math.max(1, calls.length))];
  };
}

/** A client of a token that names none, and a caller without an API key, count as the user: no caller is without a bucket. */
function nameOfCaller(per: Exclude<Limit['per'], 'tool' | LimitFunction>, auth: AuthInfo): string {
  const user = userOf(auth) as string;
  if (per === 'client')
    return auth.clientId === '' ? user : JSON.stringify({ client: auth.clientId, issuer: auth.payload.iss });
  return per === 'key' ? (apiKeyOf(auth) ?? user) : user;
}

const toolOf: LimitFunction = (_auth, call) => (call?.method === 'tools/call' ? call.target : undefined);

function ownName(limit: LimitFunction): LimitFunction {
  return (auth, call, req) => {
    const name: unknown = limit(auth, call, req);
    if (name === undefined || (typeof name === 'string' && name !== '')) return name;
    ignoreRejection(name);
    throw new TypeError('a function in "per" returned neither a non-empty string nor undefined');
  };
}

/** Characters of a key. A longer one is hashed, since callers choose parts of it. */
const MAX_KEY_LENGTH = 256;

function shorten(key: string): string {
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url');
}
