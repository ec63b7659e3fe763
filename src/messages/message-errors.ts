import type { BodyError } from '../http/body.js';

/** What can be wrong with a body, and with a JSON-RPC message as such, in the codes and words of JSON-RPC 2.0 and MCP. */
export const MESSAGE_ERRORS = {
  malformed_json: { status: 400, code: -32700, message: 'The body is not JSON' },
  not_json_rpc: { status: 400, code: -32600, message: 'The body is not a JSON-RPC 2.0 message' },
  ambiguous_message: {
    status: 400,
    code: -32600,
    message: 'The message has a member twice, or a member or method in other capitals than the protocol gives it',
  },
  header_mismatch: { status: 400, code: -32020, message: 'Header mismatch' },
  unusable_body: { status: 400, code: -32600, message: 'The body cannot be used' },
  unsupported_media_type: { status: 415, code: -32600, message: 'The body is of an unsupported type' },
  body_too_large: { status: 413, code: -32600, message: 'The body is over the limit' },
} as const;

/** What a body that cannot be used is called. */
export const BODY_REASONS = {
  400: 'unusable_body',
  413: 'body_too_large',
  415: 'unsupported_media_type',
} as const satisfies Record<BodyError['status'], keyof typeof MESSAGE_ERRORS>;

/** What a JSON-RPC error says. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The error response to the request `id`, as that was written; `undefined` where it answers none in particular. */
export function errorResponse(id: string | undefined, { code, message, data }: RpcError): string {
  return `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":${JSON.stringify({ code, message, data })}}`;
}
