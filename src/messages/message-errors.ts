/** What can be wrong with a JSON-RPC message as such, in the codes and words of JSON-RPC 2.0 and MCP. */
export const MESSAGE_ERRORS = {
  malformed_json: { status: 400, code: -32700, message: 'The body is not JSON' },
  not_json_rpc: { status: 400, code: -32600, message: 'The body is not a JSON-RPC 2.0 message' },
  ambiguous_message: {
    status: 400,
    code: -32600,
    message: 'The message has a member twice, or a member or method in other capitals than the protocol gives it',
  },
  header_mismatch: { status: 400, code: -32020, message: 'Header mismatch' },
} as const;
