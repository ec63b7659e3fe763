import { type Edit, memberOf, textOf } from './json-members.js';
import { membersAt, type RpcMessage } from './json-rpc.js';

/** The member of `_meta` that names the `subscriptions/listen` request that a message belongs to (2026-07-28). */
export const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';

/** Returns the edits that replace the bridge's subscription id with the client's. */
export function subscriptionEdits(message: RpcMessage, where: 'params' | 'result', id: string): Edit[] {
  const member = memberOf(membersAt(message, where, '_meta'), SUBSCRIPTION_KEY);
  return member === undefined ? [] : [{ ...member, text: id }];
}

/** Builds the response that ends a subscription successfully. */
export function subscriptionEnd(id: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","_meta":{"${SUBSCRIPTION_KEY}":${id}}}}`;
}

// The error codes to which 2026-07-28 assigns a status. Every other error is sent with status 200.
const STATUSES = new Map(Object.entries({ '-32601': 404, '-32020': 400, '-32021': 400, '-32022': 400 }));

/** Returns the HTTP status for a response of the child that is not sent in an event stream. */
export function statusOf(response: RpcMessage): number {
  const code = memberOf(membersAt(response, 'error'), 'code');
  return (code && STATUSES.get(textOf(response.bytes, code))) ?? 200;
}
