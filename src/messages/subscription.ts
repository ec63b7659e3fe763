import { type Edit, memberOf } from './json-members.js';
import { membersAt, type RpcMessage } from './json-rpc.js';

/** Names, in `_meta`, the `subscriptions/listen` request that a message belongs to (2026-07-28). */
export const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';

/** Puts the client's id in the place of ours. */
export function subscriptionEdits(message: RpcMessage, where: 'params' | 'result', id: string): Edit[] {
  const outer = membersAt(message.bytes, memberOf(message.members, where));
  const member = memberOf(membersAt(message.bytes, memberOf(outer, '_meta')), SUBSCRIPTION_KEY);
  return member === undefined ? [] : [{ ...member, text: id }];
}

/** The response that ends a subscription well. */
export function subscriptionEnd(id: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","_meta":{"${SUBSCRIPTION_KEY}":${id}}}}`;
}
