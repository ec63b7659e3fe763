import { type Edit, type JsonMember, memberOf, textOf } from '../../messages/json-members.js';
import { type ClientMessage, keyOf, membersAt, type RpcMessage } from '../../messages/json-rpc.js';
import { type MetaRule, metaEdits } from '../../messages/meta-edit.js';
import { SUBSCRIPTION_KEY, subscriptionEdits } from '../../messages/stateless-response.js';
import { endOfRefusal } from '../../telemetry/outcomes.js';
import type { PendingRequest, PendingRequests } from '../answers/pending-requests.js';

/** A request without a session. */
export interface StatelessRequest extends PendingRequest {
  /** The progress token as the client wrote it. */
  readonly clientToken?: string | undefined;
  /** True if its client asked for log messages. They never come on the stream of `subscriptions/listen` (2026-07-28, Logging). */
  readonly logs?: boolean;
}

/**
 * Finds the request that a notification of the server belongs to, and the edits that it needs. A message that belongs to no single request
 * is dropped, so that it never reaches another caller's stream (2026-07-28, Receiving Messages).
 *
 * @param about The keys of the requests that it can belong to; undefined if it can belong to any.
 */
export function routeNotification(
  message: RpcMessage,
  pending: PendingRequests<StatelessRequest>,
  about?: readonly string[],
): { readonly request: StatelessRequest; readonly edits: Edit[] } | undefined {
  const keyAt = (member: JsonMember | undefined) => pending.meantBy(member && keyOf(textOf(message.bytes, member)));
  if (message.method === 'notifications/message') {
    const possible = about?.flatMap((key) => pending.get(key) ?? []) ?? pending.values();
    const [request, ...others] = possible.filter(({ logs }) => logs);
    return request && others.length === 0 ? { request, edits: [] } : undefined;
  }
  const params = membersAt(message, 'params');
  const name = { 'notifications/progress': 'progressToken', 'notifications/cancelled': 'requestId' }[message.method];
  const member = name === undefined ? undefined : memberOf(params, name);
  if (member !== undefined) {
    const isCancelled = name === 'requestId';
    const request = pending.get(keyAt(member));
    // A server ends subscriptions in this way. With the same id, it may also cancel a request of its own, which the bridge has refused.
    const text = isCancelled ? request?.listens && request.id : request?.clientToken;
    if (request === undefined || typeof text !== 'string') return undefined;
    if (isCancelled) pending.drop(keyAt(member), endOfRefusal('closing'));
    const edit = { ...member, text };
    return { request, edits: [edit, ...subscriptionEdits(message, 'params', request.id)] };
  }
  const subscription = memberOf(membersAt({ bytes: message.bytes, members: params }, '_meta'), SUBSCRIPTION_KEY);
  const request = pending.get(keyAt(subscription));
  return subscription && request && { request, edits: [{ ...subscription, text: request.id }] };
}

/** The edits of a request on its way to the server: `key` in place of its id and of its progress token `token`, and the changes of `rule`. */
export function requestEdits(
  message: ClientMessage,
  key: string,
  token: JsonMember | undefined,
  rule: MetaRule | undefined,
): readonly Edit[] {
  const { idAt } = message;
  const edits: Edit[] = idAt === undefined ? [] : [{ ...idAt, text: key }];
  if (rule === undefined) return token ? [...edits, { ...token, text: key }] : edits;
  const own = new Map([...rule.own, ...(token ? [['progressToken', key] as const] : [])]);
  return [...edits, ...metaEdits(message, { ...rule, own })];
}
