import type { IncomingMessage, ServerResponse } from 'node:http';
import { adviceFor } from '../core/advice.js';
import { getAuth } from '../core/auth-info.js';
import { BodyError } from '../http/body.js';
import { failRequest } from '../http/fail-request.js';
import { asError, type Middleware } from '../http/middleware.js';
import type { ReceivedBody } from '../messages/calls-in-body.js';
import { MessageError, reject } from '../messages/message-refusal.js';
import { createMessageRefusalLog } from '../messages/message-refusal-log.js';
import { knownMessage, lacksMessage, readReceivedMessage } from '../messages/received-message.js';
import { createGuardedStore } from '../store/guarded-store.js';
import { createBuckets } from '../store/memory-store.js';
import type { Awaitable, StoreBucket } from '../store/store.js';
import type { CallOptions } from '../telemetry/call-record.js';
import { arrivalTime, nextInSpan, observeReceived } from '../telemetry/received-calls.js';
import { type CountedBuckets, createBucketCount } from './counted-buckets.js';
import { createLimitRefusal, type LimitRefusal } from './limit-refusal.js';
import { type Limit, type McpLimitsOptions, type ResolvedLimits, resolveLimits } from './limits-options.js';

const NO_MESSAGE: ReceivedBody = { isBatch: false, calls: [] };
/** `mcpLimits()` has no `onCall`. It tells the listeners of other middlewares which calls it refused. */
const NO_LISTENER: CallOptions = {};

/**
 * Limits how often callers call. Mount it on the server's path, after `mcpAuth()`, and after `mcpScopes()` so that denied calls do not
 * count. Each request counts as one call, whatever its method, and a batch as its calls; OPTIONS does not count. A request passes if
 * all limits have tokens for it, and otherwise takes none and is answered 429, with `Retry-After`.
 *
 * Anonymous callers, with or without an `mcpAuth()`, never take tokens of known ones.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpLimits } from 'express-mcp-auth';
 *
 * const app = express();
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] }));
 * app.use('/mcp', mcpLimits([{ per: 'user', tokens: 60, refill: 60, every: '1m' }]));
 * ```
 *
 * @throws {ConfigError}
 */
export function mcpLimits(limits: readonly Limit[], options: Readonly<McpLimitsOptions> = {}): Middleware {
  const resolved = resolveLimits(limits, options);
  const { maxBodyBytes, logger } = resolved;
  const report = createMessageRefusalLog('mcpLimits()', logger);
  const count = createBucketCount(resolved.limits);
  const take = createTake(resolved);
  const refuse = createLimitRefusal(
    resolved.limits,
    adviceFor(options, 'mcpLimits()').names.get('limits') ?? 'limits',
    logger,
  );

  function limit(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void, message: ReceivedBody) {
    const fail = (error: unknown) => failRequest(res, next, asError(error, 'mcpLimits()'));
    const settle = (refusal: LimitRefusal | undefined) =>
      refusal ? refuse(res, message, refusal) : nextInSpan(req, next);
    let refusal: ReturnType<Take>;
    try {
      const auth = getAuth(req);
      refusal = take(count({ req, auth, calls: message.calls }), auth !== undefined);
    } catch (error) {
      fail(error);
      return;
    }
    // Without a store, nothing waits.
    if (refusal instanceof Promise) refusal.then(settle).catch(fail);
    else settle(refusal);
  }

  return function mcpLimitsMiddleware(req, res, next) {
    const isWithout = lacksMessage(req);
    if (isWithout && req.method === 'OPTIONS') {
      next();
      return;
    }
    const since = arrivalTime(NO_LISTENER);
    const limitCalls = (message: ReceivedBody) => {
      observeReceived(req, res, NO_LISTENER, message, since);
      limit(req, res, next, message);
    };
    const known = isWithout ? NO_MESSAGE : knownMessage(req);
    if (known !== undefined) {
      limitCalls(known);
      return;
    }
    const refuseBody = (error: unknown) => {
      report(error);
      if (error instanceof MessageError || error instanceof BodyError) reject(res, error);
      else next(asError(error, 'mcpLimits()'));
    };
    readReceivedMessage(req, maxBodyBytes)
      .then(limitCalls, refuseBody)
      .catch((error: unknown) => failRequest(res, next, asError(error, 'mcpLimits()')));
  };
}

/** Takes from all buckets or none. Returns undefined, or why it takes from none. */
type Take = (counted: CountedBuckets, isKnown: boolean) => Awaitable<LimitRefusal | undefined>;

function createTake({ store, logger }: ResolvedLimits): Take {
  // Two memories, so that buckets of anonymous callers never push out those of known ones.
  const ofKnown = createBuckets();
  const ofAnonymous = createBuckets();
  const local = ({ buckets, limits }: CountedBuckets, isKnown: boolean): LimitRefusal | undefined => {
    const short: number[] = [];
    const waitMs = (isKnown ? ofKnown : ofAnonymous)(buckets, (place) => short.push(limits[place] as number));
    return waitMs > 0 ? { waitMs, limits: short } : undefined;
  };
  const meanwhile = 'this process counts its own calls only';
  const shared = store && createGuardedStore(store, { who: 'mcpLimits()', meanwhile, logger });
  return (counted, isKnown) => {
    const { buckets, limits } = counted;
    if (buckets.length === 0) return undefined;
    // No bucket will ever have as many tokens.
    const tooSmall = limits.filter((_limit, place) => isTooSmall(buckets[place] as StoreBucket));
    if (tooSmall.length > 0) return { waitMs: Number.POSITIVE_INFINITY, limits: tooSmall };
    if (shared === undefined) return local(counted, isKnown);
    const settle = (waitMs: number) => (waitMs > 0 ? { waitMs, limits } : undefined);
    try {
      const wait = shared.take(buckets);
      return typeof wait === 'number' ? settle(wait) : wait.then(settle).catch(() => local(counted, isKnown));
    } catch {
      // The guarded store has logged why it failed.
      return local(counted, isKnown);
    }
  };
}

function isTooSmall({ cost, capacity }: StoreBucket): boolean {
  return cost > capacity;
}
