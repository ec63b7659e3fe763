import type { ServerResponse } from 'node:http';
import { BodyError } from '../http/body.js';
import { replyJson } from '../http/reply.js';

/** A request of the page that is refused or fails. The answer is `{ error, error_description }`. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, description: string) {
    super(description);
    this.status = status;
    this.code = code;
  }
}

/** True for an error that is a fault of this package or of the application. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof AdminError || error instanceof BodyError);
}

/** Answers a request that failed. Only errors that are meant for the operator say why. */
export function replyAdminError(res: ServerResponse, error: unknown): void {
  if (error instanceof AdminError) reply(res, error.status, error.code, error.message);
  else if (error instanceof BodyError) reply(res, error.status, 'invalid_body', error.message);
  else reply(res, 500, 'server_error', 'The request failed');
}

function reply(res: ServerResponse, status: number, error: string, description: string): void {
  replyJson(res, status, JSON.stringify({ error, error_description: description }));
}
