import { requireNotWithdrawn } from '../../core/token-validity.js';
import { isAnswered } from '../../http/answered.js';
import { hasHungUp, onceClosed } from '../../http/hang-up.js';
import { replyEmpty } from '../../http/reply.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { matchesNameHeader } from '../../messages/header-value.js';
import type { ClientMessage } from '../../messages/json-rpc.js';
import { type MetaRules, withMeta } from '../../messages/meta-edit.js';
import { checkStatelessRequest, metaOf, VERSION_KEY } from '../../messages/revision.js';
import { requireAcceptedForms } from '../answers/accepted-forms.js';
import { EventStream } from '../answers/event-stream.js';
import { tryWrite } from '../answers/open-answer.js';
import { PostResponse } from '../answers/post-response.js';
import { type BridgeRequest, cancelIfHungUp, senderOf } from '../bridge-request.js';
import type { AnonymousRefusal } from './anonymous-refusal.js';
import type { StatelessConnections } from './stateless-connections.js';

/** Answers the POSTs of the revisions without sessions (2026-07-28). */
export class StatelessExchange {
  readonly #connections: StatelessConnections;
  readonly #metaRules: MetaRules;
  readonly #refuseAnonymous: AnonymousRefusal;

  constructor(connections: StatelessConnections, metaRules: MetaRules, refuseAnonymous: AnonymousRefusal) {
    this.#connections = connections;
    this.#metaRules = metaRules;
    this.#refuseAnonymous = refuseAnonymous;
  }

  async post(request: BridgeRequest, message: ClientMessage): Promise<void> {
    if (this.#refuseAnonymous(request, message.id)) return;
    if (message.kind === 'request') await this.#request(request, message);
    else await this.#notify(request, message);
  }

  async #request(request: BridgeRequest, message: ClientMessage): Promise<void> {
    const { req, res, auth, since } = request;
    const { id } = message;
    checkStatelessRequest(req, message);
    const accepted = requireAcceptedForms(req, id);
    const { metaRule: rule } = request;
    const { length } = message.bytes;
    const version = String(metaOf(message)?.[VERSION_KEY]);
    const connection = await this.#connections.get(request, length, version).catch((error) => {
      throw error instanceof BridgeError ? error.withId(id) : error;
    });
    if (message.method === 'tools/call') {
      await connection.countWaiting(length, () => connection.toolHeaders.check(req, message, rule?.own));
    }
    for (let wait = connection.whenWritable(since, length); wait; wait = connection.whenWritable(since, length))
      await wait;
    if (cancelIfHungUp(request)) return;
    requireNotWithdrawn(auth);
    connection.requireRoom([message]);
    const response = new PostResponse({
      ...accepted,
      request,
      responses: 1,
      batch: false,
      openStream: () => new EventStream(),
      pauseFor: (slow) => connection.pauseFor(slow),
    });
    if (response.hasFailed) return;
    const key = connection.request(message, response, rule, request.calls?.claim(message.key));
    // A client that hangs up cancels its request (2026-07-28, Cancellation). After the response, cancel() does nothing.
    onceClosed(res, () => connection.cancel(key));
  }

  async #notify(request: BridgeRequest, message: ClientMessage): Promise<void> {
    const { req, res, auth, since } = request;
    const named = req.headers['mcp-method'];
    if (named !== undefined && named !== message.method)
      throw new BridgeError('header_mismatch', { detail: 'Mcp-Method' });
    if (!matchesNameHeader(req.headers['mcp-name'], message))
      throw new BridgeError('header_mismatch', { detail: 'Mcp-Name' });
    // The server does not know the client's ids, so `notifications/cancelled` is not passed on: a client cancels by hanging up.
    // A separate connection would be opened for this notification alone, so none is.
    if (message.method !== 'notifications/cancelled' && !this.#connections.isSeparate(request)) {
      const { length } = message.bytes;
      const connection = await this.#connections.get(request, length);
      for (let wait = connection.whenWritable(since, length); wait; wait = connection.whenWritable(since, length))
        await wait;
      requireNotWithdrawn(auth);
      connection.notify(withMeta(message, this.#metaRules.forOthers), senderOf(request));
    }
    if (!isAnswered(res) && !hasHungUp(res)) tryWrite(request, () => replyEmpty(res, 202));
  }
}
