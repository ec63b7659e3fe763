import type { ServerResponse } from 'node:http';
import { BodyError } from '../http/body.js';
import { replyJson } from '../http/reply.js';
import type { BridgeErrorCode } from '../messages/bridge-error.js';

/** The codes of the page's own refusals. docs/errors.md has a row for each. */
export const ADMIN_ERROR_CODES = [
  'access_denied',
  'answer_too_long',
  'doctor_is_running',
  'foreign_origin',
  'invalid_body',
  'no_address',
  'no_answer',
  'no_development_issuer',
  'no_revocation',
  'no_tools',
  'not_callable',
  'not_found',
  'not_initialized',
  'password_needed',
  'password_required',
  'refused_by_route',
  'server_error',
  'timed_out',
  'too_many_calls',
  'too_many_failures',
  'too_many_pages',
  'unknown_route',
  'unknown_session',
  'unreachable',
] as const;

type AdminErrorCode = (typeof ADMIN_ERROR_CODES)[number];

/** A request of the page that is refused or fails. The answer is `{ error, error_description }`. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly status: number;
  readonly code: AdminErrorCode | BridgeErrorCode;

  constructor(status: number, code: AdminErrorCode | BridgeErrorCode, description: string) {
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

function reply(res: ServerResponse, status: number, error: AdminError['code'], description: string): void {
  replyJson(res, status, JSON.stringify({ error, error_description: description }));
}
