import type { ReceivedBody, ReceivedCall } from '../messages/calls-in-body.js';
import type { Denial } from './call-authorizer.js';

/** MCP 2026-07-28 leaves -32000 to -32019 to implementations. */
const INSUFFICIENT_SCOPE = -32003;

/** Builds the refusal of a caller who lacks scopes, as JSON-RPC error responses. Undefined in the cases of {@link jsonRpcErrorsFor}. */
export function jsonRpcRefusalFor(body: ReceivedBody, { code, scopes }: Denial, message: string): string | undefined {
  const error = { code: INSUFFICIENT_SCOPE, message, data: { reason: code, requiredScopes: scopes } };
  return jsonRpcErrorsFor(body, () => error);
}

/**
 * Builds JSON-RPC error responses, one for each request of the body: no call of a batch is carried out. Returns undefined if the body
 * has only notifications, which get no answer, or an id that JSON parsing rounded: the client would not recognise the answer.
 */
export function jsonRpcErrorsFor(body: ReceivedBody, errorFor: (call: ReceivedCall) => object): string | undefined {
  const requests = body.calls.filter(({ id }) => id !== undefined);
  if (requests.length === 0 || requests.some(({ id }) => isRounded(id))) return undefined;
  const responses = requests.map((call) => ({ jsonrpc: '2.0', id: call.id, error: errorFor(call) }));
  return JSON.stringify(body.isBatch ? responses : responses[0]);
}

/** True for an id that JSON parsing may have rounded. */
export function isRounded(id: unknown): boolean {
  return typeof id === 'number' && Math.abs(id) > Number.MAX_SAFE_INTEGER;
}
