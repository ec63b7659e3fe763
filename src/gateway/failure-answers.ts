import type { ErrorRequestHandler, RequestHandler } from 'express';
import { type Logger, UpstreamError } from '../index.js';

export const answerNoRoute: RequestHandler = (_req, res) => {
  res.status(404).json({ error: 'not_found', error_description: 'No route of this gateway takes this path' });
};

/** Answers what a route could not: an outage as 502 or 503 with the time to come back, everything else as 500, unexplained. */
export function createFailureAnswer(logger: Logger): ErrorRequestHandler {
  return function answerFailure(error: unknown, req, res, next) {
    logger.error(`${req.method} ${req.path} failed: ${causes(error)}`);
    if (res.headersSent) return next(error);
    if (!(error instanceof UpstreamError)) {
      res.status(500).json({ error: 'server_error', error_description: 'The gateway failed' });
      return;
    }
    res.setHeader('Retry-After', error.retryAfterSeconds);
    res.status(error.status).json({ error: error.code, error_description: error.message });
  };
}

function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${causes(error.cause)})`;
}
