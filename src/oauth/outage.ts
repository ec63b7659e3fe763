import type { ServerResponse } from 'node:http';
import type { UpstreamError } from '../core/errors.js';
import { replyJson } from '../http/reply.js';

/** Answers an outage as JSON, with `Retry-After` and without a challenge: the client's token may be good. */
export function replyOutage(res: ServerResponse, { status, code, message, retryAfterSeconds }: UpstreamError): void {
  const body = JSON.stringify({ error: code, error_description: message });
  replyJson(res, status, body, { 'retry-after': String(retryAfterSeconds) });
}
