import type { IncomingMessage, ServerResponse } from 'node:http';
import { getAuth } from '../core/auth-info.js';
import { createBodyReport } from '../core/body-report.js';
import type { Logger } from '../core/logger.js';
import { createRareLine } from '../core/rare-line.js';
import { BodyError } from '../http/body.js';
import { asError, type Middleware } from '../http/middleware.js';
import { BridgeError } from '../messages/bridge-error.js';
import type { ReceivedBody } from '../messages/calls-in-body.js';
import { MessageError, reject } from '../messages/message-refusal.js';
import { knownMessage, lacksMessage, readMessage } from '../messages/received-message.js';
import { replyBridgeError } from '../messages/reply-error.js';
import { createGuardedStore } from '../store/guarded-store.js';
import { createBuckets } from '../store/memory-store.js';
import type { Awaitable, StoreBucket } from '../store/store.js';
import { createBucketCount } from './counted-buckets.js';
import { type Limit, type McpLimitsOptions, type ResolvedLimits, resolveLimits } from './limits-options.js';

const NO_MESSAGE: ReceivedBody = { isBatch: false, calls: [] };

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
  const report = createBodyReport('mcpLimits()', logger);
  const count = createBucketCount(resolved.limits);
  const take = createTake(resolved);
  const refuse = createRefuse(logger);

  function limit(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void, message: ReceivedBody) {
    const fail = (error: unknown) => next(asError(error, 'mcpLimits()'));
    const settle = (waitMs: number) => (waitMs > 0 ? refuse(res, message, waitMs) : next());
    let waitMs: Awaitable<number>;
    try {
      const auth = getAuth(req);
      waitMs = take(count({ req, auth, calls: message.calls }), auth !== undefined);
    } catch (error) {
      fail(error);
      return;
    }
    // Without a store, nothing waits.
    if (typeof waitMs === 'number') settle(waitMs);
    else waitMs.then(settle).catch(fail);
  }

  return function mcpLimitsMiddleware(req, res, next) {
    const isWithout = lacksMessage(req);
    if (isWithout && req.method === 'OPTIONS') {
      next();
      return;
    }
    const known = isWithout ? NO_MESSAGE : knownMessage(req);
    if (known !== undefined) {
      limit(req, res, next, known);
      return;
    }
    const refuseBody = (error: unknown) => {
      report(error);
      if (error instanceof MessageError || error instanceof BodyError) reject(res, error);
      else next(asError(error, 'mcpLimits()'));
    };
    readMessage(req, maxBodyBytes)
      .then((message) => limit(req, res, next, message), refuseBody)
      .catch((error: unknown) => next(asError(error, 'mcpLimits()')));
  };
}

/** Takes from all buckets or none; returns 0, or the milliseconds until all have enough tokens. */
type Take = (buckets: readonly StoreBucket[], isKnown: boolean) => Awaitable<number>;

function createTake({ store, logger }: ResolvedLimits): Take {
  // Two memories, so that buckets of anonymous callers never push out those of known ones.
  const ofKnown = createBuckets();
  const ofAnonymous = createBuckets();
  const local = (buckets: readonly StoreBucket[], isKnown: boolean) => (isKnown ? ofKnown : ofAnonymous)(buckets);
  const meanwhile = 'this process counts its own calls only';
  const shared = store && createGuardedStore(store, { who: 'mcpLimits()', meanwhile, logger });
  return (buckets, isKnown) => {
    if (buckets.length === 0) return 0;
    // No bucket will ever have as many tokens.
    if (buckets.some(({ cost, capacity }) => cost > capacity)) return Number.POSITIVE_INFINITY;
    if (shared === undefined) return local(buckets, isKnown);
    try {
      const wait = shared.take(buckets);
      return typeof wait === 'number' ? wait : wait.catch(() => local(buckets, isKnown));
    } catch {
      // The guarded store has logged why it failed.
      return local(buckets, isKnown);
    }
  };
}

function createRefuse(logger: Logger): (res: ServerResponse, message: ReceivedBody, waitMs: number) => void {
  const warn = createRareLine((line) => logger.warn(line));
  return (res, message, waitMs) => {
    const isNever = !Number.isFinite(waitMs);
    const error = new BridgeError('limit_exceeded', {
      id: idOf(message),
      ...(isNever && { detail: 'the batch has more calls than a limit lets through at once' }),
      retryAfterSeconds: isNever ? null : Math.ceil(waitMs / 1_000),
    });
    warn(`mcpLimits(): refused a caller with 429: ${error.message}`);
    replyBridgeError(res, error);
  };
}

/** The id of a single call as JSON; undefined if it has none, or JSON parsing may have rounded it. */
function idOf({ isBatch, calls: [call] }: ReceivedBody): string | undefined {
  const id = isBatch ? undefined : call?.id;
  return typeof id === 'string' || Number.isSafeInteger(id) ? JSON.stringify(id) : undefined;
}
