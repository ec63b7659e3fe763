import type { IncomingMessage, ServerResponse } from 'node:http';
import { BodyError } from '../http/body.js';
import { failRequest } from '../http/fail-request.js';
import { asError, type Middleware } from '../http/middleware.js';
import { MessageError, reject } from '../messages/message-refusal.js';
import { createMessageRefusalLog } from '../messages/message-refusal-log.js';
import { knownMessage, lacksMessage, readReceivedMessage } from '../messages/received-message.js';
import { type McpCallsOptions, resolveCallsOptions } from './calls-options.js';
import { areCallsObserved } from './observe-calls.js';
import { arrivalTime, nextInSpan, observeReceived, observeWithoutMessage } from './received-calls.js';

const WHO = 'mcpCalls()';

/**
 * Records the calls to an MCP server in this app: who called which tool, how it ended, and how long it took. Mount it on the server's path,
 * after `mcpAuth()`. The backends of this package, `mcpScopes()` and `mcpAuthorization()` record calls themselves, with the same options. A call
 * has one record, however many of them see it.
 *
 * It reads the body as `mcpScopes()` does, and answers 400 to a message that two parsers could read differently: otherwise the record might
 * name another tool than the one that runs. Requests pass unread as long as nothing listens: no `onCall`, no subscriber of the
 * `node:diagnostics_channel` named `express-mcp-auth:call`, and no `startTelemetry()`.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpCalls } from 'express-mcp-auth';
 *
 * const app = express();
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] }));
 * app.use('/mcp', mcpCalls({ onCall: ({ user, name, outcome, durationMs }) => console.log(user, name, outcome, durationMs) }));
 * ```
 *
 * @throws {ConfigError}
 */
export function mcpCalls(options: Readonly<McpCallsOptions> = {}): Middleware {
  const { maxBodyBytes, logger, onCall, recordContent } = resolveCallsOptions(options);
  const listener = { onCall, recordContent };
  const report = createMessageRefusalLog(WHO, logger);

  async function read(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const since = arrivalTime(listener);
    try {
      observeReceived(req, res, listener, await readReceivedMessage(req, maxBodyBytes), since);
      return true;
    } catch (error) {
      report(error);
      if (!(error instanceof MessageError || error instanceof BodyError)) throw error;
      reject(res, error);
      return false;
    }
  }

  return function mcpCallsMiddleware(req, res, next) {
    if (!areCallsObserved(listener) || lacksMessage(req)) {
      observeWithoutMessage(req, res);
      next();
      return;
    }
    const known = knownMessage(req);
    if (known !== undefined) {
      observeReceived(req, res, listener, known, arrivalTime(listener));
      nextInSpan(req, next);
      return;
    }
    read(req, res)
      .then((isRead) => isRead && nextInSpan(req, next))
      .catch((error: unknown) => failRequest(res, next, asError(error, WHO)));
  };
}
