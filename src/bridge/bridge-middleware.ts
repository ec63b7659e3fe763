import type { IncomingMessage, ServerResponse } from 'node:http';
import { getAuth } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { failRequest } from '../http/fail-request.js';
import { asError, type Middleware } from '../http/middleware.js';
import type { Bridge } from './bridge.js';

/**
 * Creates the middleware of a bridge.
 *
 * @param who The backend's function, in the log.
 */
export function createBridgeMiddleware(who: string, bridge: Bridge, logger: Logger): Middleware {
  // An exception of getAuth() becomes a rejection: on bare node:http, no caller would catch the exception.
  const handle = async (req: IncomingMessage, res: ServerResponse) => bridge.handle(req, res, getAuth(req));

  return function mcpBackendMiddleware(req, res, next) {
    handle(req, res).catch((thrown: unknown) => {
      const error = asError(thrown, who);
      logger.error(`${who}: a request failed: ${error.name}`);
      failRequest(res, next, error);
    });
  };
}
