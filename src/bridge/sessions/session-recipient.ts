import { keyInParams, type RpcMessage } from '../../messages/json-rpc.js';
import type { PendingRequest, PendingRequests } from '../answers/pending-requests.js';
import type { PostResponse } from '../answers/post-response.js';

// These notifications are about the server as a whole, never about a request in flight.
const SERVER_NOTIFICATIONS =
  /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated|tasks\/status)$/;

/**
 * Returns the answer on whose stream a message of the server, other than a response, reaches the client; undefined for the standalone
 * stream. On stdio only progress notifications name their request, and remote servers send what belongs to a request on its stream. Other messages go
 * to the most likely stream, always of this session.
 *
 * @param hasStandalone True if the client listens on the standalone stream.
 * @param about The keys of the requests that the message can belong to; undefined if it can belong to any.
 */
export function sessionRecipientOf(
  message: RpcMessage,
  pending: PendingRequests<PendingRequest & { readonly recipient: PostResponse }>,
  hasStandalone: boolean,
  about: readonly string[] = [],
): PostResponse | undefined {
  if (message.method === 'notifications/progress') {
    const recipient = pending.withToken(keyInParams(message, 'progressToken'))?.recipient;
    return recipient?.acceptsStream ? recipient : undefined;
  }
  if (SERVER_NOTIFICATIONS.test(message.method)) return undefined;
  const possible = about.flatMap((key) => pending.get(key) ?? []);
  const [{ recipient: own } = {}, ...others] = possible;
  if (own?.connected && own.acceptsStream && others.length === 0) return own;
  if (pending.count > 1 && hasStandalone) return undefined;
  const connected = [...possible, ...pending.values()].flatMap(({ recipient }) =>
    recipient.connected ? [recipient] : [],
  );
  const recipient = connected.find(({ acceptsStream }) => acceptsStream);
  // A client that does not listen would never see the request, and its call may wait for the response. No call waits for that to a ping.
  const mayWait = message.kind === 'request' && message.method !== 'ping';
  if (recipient !== undefined || !mayWait || hasStandalone) return recipient;
  return connected.find(({ acceptsRequests }) => acceptsRequests);
}
