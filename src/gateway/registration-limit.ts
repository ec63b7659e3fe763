import type { ServerResponse } from 'node:http';
import express, { type Request, type Response } from 'express';
import { rateLimit, type Store } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.js';
import { createRareLine } from '../core/rare-line.js';
import { replyJson } from '../http/reply.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import type { Logger, Middleware } from '../index.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

const MAX_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_ADDRESSES = 10_000;
const TOO_MANY = `OAuth proxy: registrations refused by this server: more than ${MAX_PER_MINUTE} in a minute from one address`;
/** The limit hands it to `next()` if it refuses a registration. */
const REFUSED = new Error('too many registrations');

/** The paths where clients register with the OAuth proxy of a policy; empty if it has no OAuth proxy. */
export function registrationPaths({ oauthProxy }: ResolvedAuth): readonly string[] {
  return oauthProxy?.paths.registration ?? [];
}

/**
 * Creates the limit of registrations per address: each one calls the authorization server and creates a client there.
 * `express-rate-limit` needs Express, so it runs in its own app, which only handles registrations.
 */
export function createRegistrationLimit(logger: Logger): Middleware {
  const warn = createRareLine((line) => logger.warn(line));
  const app = express();
  app.disable('x-powered-by');
  // No path here: Express would read the path of a resource as a pattern.
  app.use(
    rateLimit({
      windowMs: MINUTE_MS,
      limit: MAX_PER_MINUTE,
      store: createHitStore(),
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      // The limit ignores both headers, so warnings about them would mislead.
      validate: { xForwardedForHeader: false, forwardedHeader: false },
      handler: (req, _res, next) => {
        warn(`${TOO_MANY}, now from ${req.ip}; all clients behind one reverse proxy share its address`);
        next(REFUSED);
      },
    }),
  );
  return (req, res, next) => {
    const restore = rememberPrototypes(req, res);
    app(req as Request, res as Response, (error?: unknown) => {
      restore();
      if (error === REFUSED) refuse(res);
      else next(error);
    });
  };
}

/**
 * Express gives a request and its answer the prototypes of its own app, and leaves them there: a proxy would no longer be trusted, and the
 * answer would not end its connection during a drain. Returns the function that gives back those of before.
 */
function rememberPrototypes(...objects: readonly object[]): () => void {
  const known = objects.map((each) => [each, Object.getPrototypeOf(each) as object] as const);
  return () => {
    for (const [each, prototype] of known) Object.setPrototypeOf(each, prototype);
  };
}

function refuse(res: ServerResponse): void {
  res.setHeader('access-control-allow-origin', '*');
  const body = { error: 'too_many_requests', error_description: 'Too many registrations; try again later' };
  replyJson(res, 429, JSON.stringify(body));
}

/** Applies the limit to these paths. */
export function limitRegistrations(paths: readonly string[], limit: Middleware): Middleware[] {
  if (paths.length === 0) return [];
  return [
    (req, res, next) => {
      if (req.method === 'POST' && paths.includes(rawPath(requestTarget(req)))) limit(req, res, next);
      else next();
    },
  ];
}

/** The store of `express-rate-limit` uses the system date: setting it back by an hour would block an address for an hour. */
function createHitStore(): Store {
  const addresses = new LRUCache<string, { hits: number }>({ ...atMost(MAX_ADDRESSES), ttl: MINUTE_MS });
  return {
    localKeys: true,
    increment(address) {
      const entry = addresses.get(address) ?? { hits: 0 };
      entry.hits++;
      if (entry.hits === 1) addresses.set(address, entry);
      return { totalHits: entry.hits, resetTime: new Date(Date.now() + addresses.getRemainingTTL(address)) };
    },
    decrement(address) {
      const entry = addresses.get(address);
      if (entry !== undefined) entry.hits--;
    },
    resetKey: (address) => void addresses.delete(address),
  };
}
