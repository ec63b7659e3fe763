import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { memberOf, textOf } from '../../messages/json-members.js';
import { emptyResult, keyInParams, methodNotFound, type RpcMessage } from '../../messages/json-rpc.js';
import { VERSION_KEY } from '../../messages/revision.js';
import type { Sender } from '../connection.js';
import { type Conversation, requestFor } from './conversation.js';
import { Discovery } from './discovery.js';
import { Editor } from './editor.js';
import { isListMethod, Lists } from './lists.js';
import { NameQualifier } from './name-qualifier.js';
import type { NamedTarget } from './named-target.js';
import { Openings } from './openings.js';
import { metaMembersOf, paramsOf } from './params.js';
import type { NameKind } from './qualified.js';
import type { Outcome } from './request-ids.js';
import { kindNamedBy, type Route, routeOf } from './request-route.js';
import { withId } from './response-ids.js';
import { ServerRequests } from './server-requests.js';
import { LISTS_WITH_URIS, SessionSettings } from './session-settings.js';
import { Subscriptions } from './subscriptions.js';
import { faultResponse, invalidParams, isResult, notFound } from './target-faults.js';

const LEVEL_MS = 10_000;
/** The methods that 2026-07-28 has removed. */
const REMOVED: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
]);

/** Sends the messages of a client to the targets that they are for, and answers the client. */
export class ClientMessages {
  readonly serverRequests: ServerRequests;
  readonly subscriptions: Subscriptions;
  readonly #conversation: Conversation;
  readonly #settings: SessionSettings;
  readonly #openings: Openings;
  readonly #discovery: Discovery;
  readonly #lists: Lists;

  /** @param fail Ends the connection, if it cannot be opened. */
  constructor(conversation: Conversation, fail: (reason: BridgeErrorCode) => void) {
    this.#conversation = conversation;
    this.serverRequests = new ServerRequests(conversation);
    this.subscriptions = new Subscriptions(conversation);
    this.#settings = new SessionSettings(conversation);
    this.#openings = new Openings(conversation, this.#settings, fail);
    this.#discovery = new Discovery(conversation);
    this.#lists = new Lists(conversation);
  }

  handle(message: RpcMessage, sender: Sender | undefined, isProbe: boolean): void {
    if (message.kind === 'response') this.serverRequests.answer(message, sender);
    else if (message.kind === 'notification') this.#notify(message, sender);
    else this.#start(message, sender, isProbe);
  }

  /** Notifies the client that resources have other URIs now, which are in the lists of resources and in the links of tools. */
  announceRenamed(): void {
    for (const list of LISTS_WITH_URIS) {
      this.#settings.announceList(list);
      this.subscriptions.announceList(list);
    }
  }

  #start(message: RpcMessage, sender: Sender | undefined, isProbe: boolean): void {
    const fail = (error: unknown): void => this.#failUnexpectedly(message, error);
    try {
      this.#request(message, sender, isProbe)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  #notify(message: RpcMessage, sender: Sender | undefined): void {
    const { group } = this.#conversation;
    if (message.method === 'notifications/progress') this.serverRequests.progress(message, sender);
    else if (message.method === 'notifications/cancelled') this.#cancel(message);
    else {
      if (message.method === 'notifications/initialized') this.#settings.rememberInitialized(message.bytes);
      group.sendToConnected(message.bytes, sender);
    }
  }

  #cancel(message: RpcMessage): void {
    const key = keyInParams(message, 'requestId');
    const member = memberOf(paramsOf(message), 'requestId');
    if (key === undefined) return;
    this.subscriptions.cancel(key);
    this.#conversation.group.cancel(key, (id) => {
      const editor = new Editor(message.bytes);
      editor.replace(member, id);
      return editor.result;
    });
  }

  /** Returns undefined if the request needs no wait. */
  #request(message: RpcMessage, sender: Sender | undefined, isProbe: boolean): Promise<void> | undefined {
    const { method, id = 'null' } = message;
    if (REMOVED.has(method) && isStateless(message)) this.#conversation.emit(methodNotFound(id));
    else if (method === 'initialize') return this.#openings.initialize(message, sender);
    else if (method === 'server/discover') return this.#discovery.answer(message, sender, isProbe);
    else if (method === 'ping') this.#conversation.emit(emptyResult(id));
    else if (method === 'logging/setLevel') return this.#setLevel(message, sender);
    else if (method === 'subscriptions/listen') this.subscriptions.listen(message, sender);
    else if (isListMethod(method)) return this.#lists.answer(method, message, sender);
    else if (kindNamedBy(message) === undefined) this.#conversation.emit(this.#noTarget(message));
    else return this.#call(message, sender);
    return undefined;
  }

  /** Refuses a request that is for no target: a completion for neither a prompt nor a resource, or a method that no target has. */
  #noTarget({ method, id = 'null' }: RpcMessage): Buffer {
    const { all } = this.#conversation.group;
    const completes = all.some(({ capabilities }) => capabilities === undefined || 'completions' in capabilities);
    return method === 'completion/complete' && completes ? invalidParams(id, 'Unknown ref.type') : methodNotFound(id);
  }

  #call(message: RpcMessage, sender: Sender | undefined): Promise<void> | undefined {
    const { directory } = this.#conversation;
    const kind = kindNamedBy(message);
    if ((kind === 'tool' || kind === 'prompt') && directory.needsLists) {
      const isKnown = routeOf(message, directory) !== undefined;
      if (!this.#lists.isComplete(kind, isKnown)) {
        const learning = this.#lists.learn(kind, isKnown, message, withoutParameters(sender));
        return learning.then((goesOn) => (goesOn ? this.#route(message, sender, kind) : undefined));
      }
    }
    return this.#route(message, sender, kind);
  }

  #route(message: RpcMessage, sender: Sender | undefined, kind: NameKind | undefined): Promise<void> | undefined {
    const { directory, group, emit, options } = this.#conversation;
    const route = routeOf(message, directory);
    const target = route && group.named(route.target);
    if (route === undefined || target === undefined) {
      emit(notFound(message.id ?? 'null', kind ?? 'tool', isStateless(message)));
    } else if (kind === 'tool' && options.pins?.isComplete(target.name) === false) {
      return this.#compare(message, sender, target);
    } else this.#forward(message, sender, route, target);
    return undefined;
  }

  /** A client may know the tool from before this process started, so its definition may be another one now. */
  async #compare(message: RpcMessage, sender: Sender | undefined, target: NamedTarget): Promise<void> {
    const fault = await this.#lists.compare(target, message, withoutParameters(sender));
    if (fault === undefined) await this.#route(message, sender, 'tool');
    else if (fault !== 'cancelled') this.#conversation.emit(faultResponse(message.id ?? 'null', target.name, fault));
  }

  #forward(message: RpcMessage, sender: Sender | undefined, route: Route, target: NamedTarget): void {
    const { group } = this.#conversation;
    const { method } = message;
    const member = memberOf(metaMembersOf(message), 'progressToken');
    const token = member && textOf(message.bytes, member);
    if (sender?.call !== undefined) sender.call.target = target.name;
    group.ask(target, {
      clientKey: message.key,
      clientToken: token,
      sender,
      bytesFor: (id) => requestFor(message, target.name, id, (editor) => route.edit(editor)),
      settle: (outcome) => {
        group.tasks.noteResponse(target, { method, name: route.name, token }, outcome);
        this.#respond(message, route, target, outcome);
      },
    });
  }

  #respond(message: RpcMessage, route: Route, target: NamedTarget, outcome: Outcome): void {
    const { directory, emit } = this.#conversation;
    const { id = 'null', method } = message;
    if (outcome === 'cancelled') return;
    if (typeof outcome === 'string' || outcome.idAt === undefined) {
      emit(faultResponse(id, target.name, outcome));
      return;
    }
    if (method === 'resources/subscribe' && isResult(outcome)) {
      const request = requestFor(message, target.name, id, (editor) => route.edit(editor));
      this.#settings.rememberSubscription(target, route.name, request);
    }
    if (method === 'resources/unsubscribe') this.#settings.forgetSubscription(target, route.name);
    if (NameQualifier.hasNothingToRename(outcome.bytes)) {
      const response = withId(outcome, id);
      emit(response.bytes, response);
      return;
    }
    const editor = new Editor(outcome.bytes);
    editor.replace(outcome.idAt, id);
    const edits = new NameQualifier(editor, directory, target.name);
    edits.response(outcome);
    emit(edits.edited ?? faultResponse(id, target.name, 'too_many_items'));
  }

  /** Sets the level at all targets that log. It succeeds if one of them accepts it. */
  async #setLevel(message: RpcMessage, sender: Sender | undefined): Promise<void> {
    const { group, missing, emit } = this.#conversation;
    const { id = 'null' } = message;
    const logging = group.all.filter(({ capabilities }) => capabilities?.logging !== undefined);
    const answers = await group.askAll(logging, (target) => ({
      clientKey: message.key,
      clientToken: undefined,
      sender,
      ms: LEVEL_MS,
      bytesFor: (own) => requestFor(message, target.name, own),
    }));
    const faults = [...answers].filter(([, outcome]) => !isResult(outcome));
    if (faults.some(([, outcome]) => outcome === 'cancelled')) return;
    for (const [target, outcome] of faults) missing.log(target.name, message.method, outcome);
    const [fault] = faults;
    if (answers.size === 0) emit(methodNotFound(id));
    else if (fault !== undefined && faults.length === answers.size) emit(faultResponse(id, fault[0].name, fault[1]));
    else {
      this.#settings.rememberLevel(message);
      emit(emptyResult(id));
    }
  }

  #failUnexpectedly({ id = 'null', method }: RpcMessage, error: unknown): void {
    const { emit, options } = this.#conversation;
    options.logger.error(`a request for ${method} to several targets failed: ${(error as Error).name}`);
    emit(new BridgeError('target_failed', { id }).response());
  }
}

/** True for a request of a revision without sessions: only these name their revision in `_meta`. */
function isStateless(message: RpcMessage): boolean {
  return memberOf(metaMembersOf(message), VERSION_KEY) !== undefined;
}

/** The sender of a message that is sent for another one, whose headers repeat parameters of its own. */
function withoutParameters(sender: Sender | undefined): Sender | undefined {
  return sender && { auth: sender.auth, requestId: sender.requestId, call: sender.call };
}
