import { type Edit, memberOf, textOf } from './json-members.js';
import { membersAt, type RpcMessage } from './json-rpc.js';

/** Names, in `_meta`, the `subscriptions/listen` request that a message belongs to (2026-07-28). */
export const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';

/** Puts the client's id in the place of ours. */
export function subscriptionEdits(message: RpcMessage, where: 'params' | 'result', id: string): Edit[] {
  const member = memberOf(membersAt(message, where, '_meta'), SUBSCRIPTION_KEY);
  return member === undefined ? [] : [{ ...member, text: id }];
}

/** The response that ends a subscription well. */
export function subscriptionEnd(id: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","_meta":{"${SUBSCRIPTION_KEY}":${id}}}}`;
}

// The errors that 2026-07-28 gives a status of their own; every other error is the payload of a 200.
const STATUSES = new Map(Object.entries({ '-32601': 404, '-32020': 400, '-32021': 400, '-32022': 400 }));

/** The HTTP status of a response from the child, where it is not part of a stream. */
export function statusOf(response: RpcMessage): number {
  const code = memberOf(membersAt(response, 'error'), 'code');
  return (code && STATUSES.get(textOf(response.bytes, code))) ?? 200;
}
