import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRebindingGuard, type RebindingGuard } from '../bridge/rebinding-guard.js';
import { adviceFor } from '../core/advice.js';
import { settleInTime } from '../core/settle-in-time.js';
import { failRequest } from '../http/fail-request.js';
import { hasHungUp, onceClosed } from '../http/hang-up.js';
import { asError } from '../http/middleware.js';
import { rawPath, requestTarget, withoutOrigin } from '../http/request-target.js';
import type { Middleware } from '../index.js';
import { BridgeError } from '../messages/bridge-error.js';
import { policyOf } from '../policy/resolved-policy.js';
import { AdminError, replyAdminError } from './admin-error.js';
import { type McpAdminOptions, resolveAdminOptions } from './admin-options.js';
import { createAdminSite } from './admin-site.js';
import { routesOfApp } from './app-routes.js';
import { isFromThisMachine } from './from-this-machine.js';

/** The middleware of `mcpAdmin()`. */
export interface McpAdmin extends Middleware {
  /** Ends the connections of open pages, and stops listening for calls. Call it before the application exits. */
  close(): void;
}

/**
 * Serves a page for operators: live calls and decisions, sessions, users to revoke, the doctor, and the tools of each backend. Mount it on
 * a path of an Express or Connect app, behind your own login. `authorize` says who may use it.
 *
 * From its creation until `close()`, it listens for the records of calls and decisions in this process, and keeps the last 200 of each. It counts
 * the calls of the 1,000 users and 1,000 clients that called last.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpStdioBackend } from 'express-mcp-auth';
 * import { mcpAdmin } from 'express-mcp-auth/admin';
 *
 * const auth = mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] });
 * const backend = mcpStdioBackend({ command: 'node', args: ['server.js'] });
 * const app = express();
 * app.use('/admin', mcpAdmin({ authorize: 'loopback', backends: { '/mcp': backend }, auth }));
 * app.use(auth);
 * app.use('/mcp', backend);
 * ```
 *
 * @throws {ConfigError} If an option cannot be used.
 */
export function mcpAdmin(options: Readonly<McpAdminOptions>): McpAdmin {
  const resolved = resolveAdminOptions(options);
  const { authorize, auth, allowedHosts, logger } = resolved;
  const resource = auth && policyOf('mcpAdmin()', auth).resource;
  const guarded = { resource, allowedHosts, allowedOrigins: undefined, logger };
  const guard = createRebindingGuard('mcpAdmin()', guarded, adviceFor(options, 'mcpAdmin()'));
  const routes = routesOfApp(resolved);
  const report = (line: string) => logger.error(`mcpAdmin(): ${line}`);
  const site = createAdminSite({ routes: () => routes }, report);

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      requireOwnHost(guard, req);
      await requireOperator(req, authorize, report);
      await site.handle(req, res, pathBelowMount(req));
      if (res.writableEnded || hasHungUp(res)) return;
      askAgain(res, () => requireOperator(req, authorize, report));
      endInTime(res, () => site.askToReconnect(res));
    } catch (error) {
      replyAdminError(res, error);
    }
  }

  const mcpAdminMiddleware: Middleware = (req, res, next) => {
    answer(req, res).catch((error: unknown) => failRequest(res, next, asError(error, 'mcpAdmin()')));
  };
  return Object.assign(mcpAdminMiddleware, { close: () => site.close() });
}

/** Milliseconds after which the operator of an open event stream is asked for again. */
const ASK_AGAIN_MS = 10_000;

/** Ends an event stream when `requireOperator` refuses it: its operator may have logged out, or lost the role. */
function askAgain(res: ServerResponse, requireOperator: () => Promise<void>): void {
  const timer = setInterval(() => void requireOperator().catch(() => res.destroy()), ASK_AGAIN_MS).unref();
  onceClosed(res, () => clearInterval(timer));
}

/** Milliseconds after which the page of an open event stream is asked to connect again. */
const RECONNECT_MS = 60_000;
/** Milliseconds that it has for that. */
const GRACE_MS = 5_000;

/**
 * Ends an event stream after a minute: only a new request passes the middlewares in front, and has the session as it is now. The page is
 * asked first, and connects again before, so that it misses nothing.
 */
function endInTime(res: ServerResponse, askToReconnect: () => void): void {
  const asking = setTimeout(askToReconnect, RECONNECT_MS).unref();
  const ending = setTimeout(() => res.destroy(), RECONNECT_MS + GRACE_MS).unref();
  onceClosed(res, () => {
    clearTimeout(asking);
    clearTimeout(ending);
  });
}

/** @throws {AdminError} If the request is not from an operator, or if `authorize` fails. */
async function requireOperator(
  req: IncomingMessage,
  authorize: McpAdminOptions['authorize'],
  report: (line: string) => void,
): Promise<void> {
  if (authorize === 'loopback') {
    if (!isFromThisMachine(req)) throw new AdminError(403, 'access_denied', ONLY_HERE);
    return;
  }
  let isOperator: boolean;
  try {
    isOperator = (await settleInTime('authorize()', authorize(req))) === true;
  } catch {
    // The error is not logged: it comes from the application, and may be a Proxy that throws when it is read.
    report('option "authorize" threw an error or did not answer in time, so the request is refused');
    throw new AdminError(500, 'server_error', 'The request failed');
  }
  if (!isOperator) throw new AdminError(403, 'access_denied', 'This page is for operators');
}

const ONLY_HERE = 'This page is for requests from this machine, without a proxy in between (authorize: "loopback")';

function requireOwnHost(guard: RebindingGuard, req: IncomingMessage): void {
  try {
    guard(req, false);
  } catch (error) {
    if (error instanceof BridgeError) throw new AdminError(403, error.reason, error.message);
    throw error;
  }
}

/** Returns the path below the mount path. Empty if the request has the mount path without a slash, to which Express and Connect add one. */
function pathBelowMount(req: IncomingMessage): string {
  const path = rawPath(withoutOrigin(req.url ?? '/'));
  return path === '/' && !rawPath(requestTarget(req)).endsWith('/') ? '' : path;
}
