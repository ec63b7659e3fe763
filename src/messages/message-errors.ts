import type { BodyError } from '../http/body.js';
import { MAX_LEVELS, MAX_MESSAGES } from './json-bounds.js';

/** One error: the HTTP status, the JSON-RPC code, and a constant public message. */
export const errorRow = (status: number, code: number, message: string) => Object.freeze({ status, code, message });

/** The errors of a request body and of a JSON-RPC message, with the codes and terms of JSON-RPC 2.0 and MCP. */
export const MESSAGE_ERRORS = {
  malformed_json: errorRow(400, -32700, 'The body is not JSON'),
  not_json_rpc: errorRow(400, -32600, 'The body is not a JSON-RPC 2.0 message'),
  ambiguous_message: errorRow(
    400,
    -32600,
    'The message can be read in two ways: it has a duplicate member, or a name with other capitals or a control character',
  ),
  too_deep: errorRow(400, -32600, `The message is nested deeper than ${MAX_LEVELS} levels`),
  too_many_messages: errorRow(413, -32600, `The batch has more than ${MAX_MESSAGES} messages`),
  repeated_header: errorRow(400, -32600, 'The request repeats a header that may appear only once'),
  header_mismatch: errorRow(400, -32020, 'Header mismatch'),
  unusable_body: errorRow(400, -32600, 'The body cannot be used'),
  unsupported_media_type: errorRow(415, -32600, 'The body is of an unsupported type'),
  body_too_large: errorRow(413, -32600, 'The body is over the limit'),
  body_already_read: errorRow(500, -32603, 'An earlier middleware read the body'),
  body_too_slow: errorRow(408, -32000, 'The body did not arrive in time'),
  too_many_bodies: errorRow(503, -32000, 'Too many request bodies are arriving at once'),
} as const;

/** The error of a body that cannot be used, by the status of its `BodyError`. */
export const BODY_REASONS = {
  400: 'unusable_body',
  408: 'body_too_slow',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  500: 'body_already_read',
  503: 'too_many_bodies',
} as const satisfies Record<BodyError['status'], keyof typeof MESSAGE_ERRORS>;

/** Builds the error response to a request. `id` is written as JSON; `undefined` for no particular request. */
export function errorResponse(id: string | undefined, error: { code: number; message: string; data: object }): string {
  return `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":${JSON.stringify(error)}}`;
}
