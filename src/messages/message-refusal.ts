import type { ServerResponse } from 'node:http';
import { BODY_RETRY_AFTER, type BodyError } from '../http/body.js';
import { replyJson } from '../http/reply.js';
import { BODY_REASONS, errorResponse, errorRow, MESSAGE_ERRORS } from './message-errors.js';

/** The reasons to refuse a body as unreadable, or to withhold an answer. Each key has a heading in docs/errors.md. */
export const MESSAGE_REFUSALS = {
  ...MESSAGE_ERRORS,
  unusable_target: errorRow(400, -32602, 'The call must name its tool, prompt or resource, in printable characters'),
  unreadable_answer: errorRow(502, -32603, 'The answer of the MCP server cannot be read, so it cannot be filtered'),
} as const;

/** Thrown for a body that is not a JSON-RPC message, or that two parsers could read differently. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly reason: keyof typeof MESSAGE_REFUSALS;

  constructor(reason: keyof typeof MESSAGE_REFUSALS) {
    super(MESSAGE_REFUSALS[reason].message);
    this.reason = reason;
  }
}

/** The rest of these bodies is not read, so the connection cannot be reused. */
const CLOSE = { connection: 'close' };
const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  408: CLOSE,
  413: CLOSE,
  503: { ...CLOSE, 'retry-after': BODY_RETRY_AFTER },
};

/** Answers with a JSON-RPC error response whose id is null. */
export function reject(res: ServerResponse, error: MessageError | BodyError): void {
  const reason = error instanceof MessageError ? error.reason : BODY_REASONS[error.status];
  const { status, code } = MESSAGE_REFUSALS[reason];
  const body = errorResponse(undefined, { code, message: error.message, data: { reason } });
  replyJson(res, status, body, HEADERS[status] ?? {});
}
