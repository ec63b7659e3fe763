import type { IncomingMessage, ServerResponse } from 'node:http';
import { replyJson } from '../http/reply.js';
import { type Logger, UpstreamError } from '../index.js';

export function answerNoRoute(res: ServerResponse): void {
  answer(res, 404, 'not_found', 'No route of this gateway takes this path');
}

/** Answers what a route could not: an outage as 502 or 503 with the time to come back, everything else as 500, unexplained. */
export function answerFailure(logger: Logger, error: unknown, req: IncomingMessage, res: ServerResponse): void {
  logger.error(`${req.method} ${(req.url ?? '').split('?', 1)[0]} failed: ${causes(error)}`);
  if (res.headersSent) {
    // An answer that was begun cannot become another: cut short, the client knows that it is not whole.
    res.destroy();
  } else if (error instanceof UpstreamError) {
    res.setHeader('retry-after', error.retryAfterSeconds);
    answer(res, error.status, error.code, error.message);
  } else {
    answer(res, 500, 'server_error', 'The gateway failed');
  }
}

function answer(res: ServerResponse, status: number, error: string, description: string): void {
  replyJson(res, status, JSON.stringify({ error, error_description: description }));
}

function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${causes(error.cause)})`;
}
