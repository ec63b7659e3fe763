import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import { memberOf, textOf } from '../../messages/json-members.js';
import { keyInParams, keyOf, type RpcMessage } from '../../messages/json-rpc.js';
import { SUBSCRIPTION_KEY } from '../../messages/stateless-response.js';
import type { ClientMessages } from './client-messages.js';
import type { Conversation } from './conversation.js';
import { Editor } from './editor.js';
import { NameQualifier } from './name-qualifier.js';
import type { NamedTarget } from './named-target.js';
import { metaMembersOf, paramsOf } from './params.js';

/** Sends the messages of targets to the client, as if they came from one server. */
export class TargetMessages {
  readonly #conversation: Conversation;
  readonly #client: Pick<ClientMessages, 'serverRequests'>;

  constructor(conversation: Conversation, client: Pick<ClientMessages, 'serverRequests'>) {
    this.#conversation = conversation;
    this.#client = client;
  }

  /** `about`: see `ConnectionListener.message()`. */
  handle(target: NamedTarget, message: RpcMessage, about?: readonly string[]): void {
    if (message.kind === 'response') this.#conversation.group.answer(target, message);
    else if (message.kind === 'request') this.#client.serverRequests.ask(target, message, about);
    else if (message.method === 'notifications/progress') this.#progress(target, message);
    else if (message.method === 'notifications/cancelled') this.#cancelled(target, message, about);
    else this.#notify(target, message, about);
  }

  /** Fails the requests that the target has not answered, and cancels those that it made. */
  gone(target: NamedTarget, reason: BridgeErrorCode): void {
    this.#client.serverRequests.cancelAllOf(target);
    this.#conversation.group.tasks.forgetAllOf(target);
    this.#conversation.group.failAllOf(target, reason);
  }

  #progress(target: NamedTarget, message: RpcMessage): void {
    const { ids, tasks } = this.#conversation.group;
    const key = keyInParams(message, 'progressToken');
    const request = ids.sent(key);
    const clientToken = request?.target === target ? request.clientToken : tasks.tokenFor(target, key);
    if (clientToken === undefined) return;
    const editor = new Editor(message.bytes);
    const params = paramsOf(message);
    editor.replace(memberOf(params, 'progressToken'), clientToken);
    const edits = new NameQualifier(editor, this.#conversation.directory, target.name);
    edits.meta(params);
    this.#emit(target, edits);
  }

  /** A target cancels its own request, or in 2026-07-28 ends a subscription. */
  #cancelled(target: NamedTarget, message: RpcMessage, about: readonly string[] | undefined): void {
    const { group } = this.#conversation;
    const key = keyInParams(message, 'requestId');
    const request = group.ids.sent(key);
    if (key !== undefined && request?.target === target && request.onNotification !== undefined) {
      group.ids.takeSent(key)?.settle(message);
    } else this.#client.serverRequests.cancel(target, message, about);
  }

  #notify(target: NamedTarget, message: RpcMessage, about: readonly string[] | undefined): void {
    const { group, directory } = this.#conversation;
    const subscription = memberOf(metaMembersOf(message), SUBSCRIPTION_KEY);
    if (subscription !== undefined) {
      const request = group.ids.sent(keyOf(textOf(message.bytes, subscription)));
      if (request?.target === target) request.onNotification?.(message);
      return;
    }
    if (message.method === 'notifications/tasks/status') group.tasks.noteStatus(target, message);
    const edits = new NameQualifier(new Editor(message.bytes), directory, target.name);
    if (!NameQualifier.hasNothingToRename(message.bytes)) edits.params(message);
    this.#emit(target, edits, group.ids.clientKeysOf(target, about));
  }

  /** A notification that cannot be renamed is dropped. */
  #emit(target: NamedTarget, { edited }: NameQualifier, about?: readonly string[]): void {
    if (edited === undefined) this.#conversation.missing.log(target.name, 'a notification', 'too_many_items');
    else this.#conversation.emit(edited, undefined, about);
  }
}
