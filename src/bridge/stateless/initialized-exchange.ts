import { requireNotWithdrawn } from '../../core/token-validity.js';
import { isAnswered } from '../../http/answered.js';
import { hasHungUp, onceClosed } from '../../http/hang-up.js';
import { replyEmpty } from '../../http/reply.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { applyEdits, memberOf, textOf } from '../../messages/json-members.js';
import { type ClientMessage, keyInParams, membersAt, type RpcMessage, readString } from '../../messages/json-rpc.js';
import { type MetaRules, withMeta } from '../../messages/meta-edit.js';
import { BATCH_REVISION, SESSION_REVISIONS } from '../../messages/revision.js';
import { endOfResponse } from '../../telemetry/response-end.js';
import { requireAcceptedForms } from '../answers/accepted-forms.js';
import { EventStream } from '../answers/event-stream.js';
import { tryWrite } from '../answers/open-answer.js';
import { PostResponse } from '../answers/post-response.js';
import { type BridgeRequest, cancelIfHungUp, senderOf } from '../bridge-request.js';
import type { Drain } from '../drain.js';
import type { AnonymousRefusal } from './anonymous-refusal.js';
import type { InitializedConnection, InitializedConnections } from './initialized-connections.js';

/** Notifications that are not passed on: the bridge itself opened the session, and refuses the requests of the server. */
const OWN_NOTIFICATIONS = new Set(['notifications/initialized', 'notifications/progress']);

/** The rules for requests, in addition to those for their messages. */
interface InitializedRules {
  readonly metaRules: MetaRules;
  readonly refuseAnonymous: AnonymousRefusal;
  readonly drain: Drain;
}

/** Answers the POSTs of clients of the revisions with sessions, without a session (`sessions: false`). */
export class InitializedExchange {
  readonly #connections: InitializedConnections;
  readonly #rules: InitializedRules;

  constructor(connections: InitializedConnections, rules: InitializedRules) {
    this.#connections = connections;
    this.#rules = rules;
  }

  async post(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): Promise<void> {
    const requests = messages.filter(({ kind }) => kind === 'request');
    // A batch has no single id.
    const id = batch ? undefined : requests[0]?.id;
    if (this.#rules.refuseAnonymous(request, id)) return;
    requireUsable(request, requests, batch, id);
    if (requests.some(({ method }) => method === 'initialize')) this.#rules.drain.requireOpen(id);
    await this.#pass(request, messages, batch).catch((error) => {
      throw error instanceof BridgeError ? error.withId(id) : error;
    });
  }

  async #pass(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): Promise<void> {
    const requests = messages.filter(({ kind }) => kind === 'request');
    const others = messages.filter(({ kind, method }) => kind === 'notification' && !OWN_NOTIFICATIONS.has(method));
    if (requests.length === 0) {
      // A separate connection would be opened for this notification alone, so none is.
      if (others.length > 0 && !this.#connections.isSeparate(request))
        this.#notify(request, await this.#ready(request, others), others);
      if (!isAnswered(request.res) && !hasHungUp(request.res)) tryWrite(request, () => replyEmpty(request.res, 202));
      return;
    }
    const accepted = requireAcceptedForms(request.req);
    const { metaRule: rule } = request;
    const opened = await this.#ready(request, messages);
    if (cancelIfHungUp(request)) return;
    const { stateless, prepared } = opened;
    stateless.requireRoom(requests);
    this.#notify(request, opened, others);
    const response = new PostResponse({
      ...accepted,
      request,
      responses: requests.length,
      batch,
      openStream: () => new EventStream(),
      pauseFor: (slow) => stateless.pauseFor(slow),
    });
    if (response.hasFailed) return;
    const sent: string[] = [];
    // Without a session, the client cannot ask for the answers again.
    onceClosed(request.res, () => {
      for (const key of sent) stateless.cancel(key);
    });
    for (const message of requests) {
      const call = request.calls?.claim(message.key);
      if (message.method === 'initialize') {
        const opening = openingFor(message, prepared);
        response.respond(opening);
        call?.end(endOfResponse(prepared, call, opening.length));
      } else sent.push(stateless.request(message, response, rule, call));
    }
  }

  /** Returns the caller's connection when it can take these messages. */
  async #ready(request: BridgeRequest, messages: readonly ClientMessage[]): Promise<InitializedConnection> {
    const { since, auth } = request;
    const bytes = messages.reduce((sum, message) => sum + message.bytes.length, 0);
    const opened = await this.#connections.get(request, bytes);
    const { stateless } = opened;
    for (let wait = stateless.whenWritable(since, bytes); wait; wait = stateless.whenWritable(since, bytes)) await wait;
    requireNotWithdrawn(auth);
    return opened;
  }

  #notify(request: BridgeRequest, { stateless }: InitializedConnection, others: readonly ClientMessage[]): void {
    for (const message of others) {
      if (message.method !== 'notifications/cancelled')
        stateless.notify(withMeta(message, this.#rules.metaRules.forOthers), senderOf(request));
      // Many clients number their requests from 1, so one anonymous caller would cancel the request of another.
      else if (request.auth !== undefined) stateless.cancelRequest(keyInParams(message, 'requestId'));
    }
  }
}

function requireUsable(
  { req }: BridgeRequest,
  requests: readonly ClientMessage[],
  batch: boolean,
  id: string | undefined,
): void {
  const version = req.headers['mcp-protocol-version'];
  if (version !== undefined && !SESSION_REVISIONS.has(String(version)))
    throw new BridgeError('unsupported_version', { id });
  // Clients before 2025-06-18 do not send the header.
  const hasBatches = version === undefined || version === BATCH_REVISION;
  const opens = requests.some(({ method }) => method === 'initialize');
  if (batch && (opens || !hasBatches)) throw new BridgeError('batch_not_supported');
}

/** Answers `initialize` as the server did, in the client's revision if the server's is not older. */
function openingFor(message: ClientMessage, answer: RpcMessage): Buffer {
  const { id = 'null', params } = message;
  const version = memberOf(membersAt(answer, 'result'), 'protocolVersion');
  const spoken = version && readString(textOf(answer.bytes, version));
  const wanted = String(params.protocolVersion);
  const isKnown = SESSION_REVISIONS.has(wanted) && spoken !== undefined && wanted <= spoken;
  return applyEdits(answer.bytes, [
    ...(answer.idAt ? [{ ...answer.idAt, text: id }] : []),
    ...(version && isKnown ? [{ ...version, text: JSON.stringify(wanted) }] : []),
  ]);
}
