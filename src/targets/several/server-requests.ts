import { type JsonMember, memberOf, textOf } from '../../messages/json-members.js';
import { cancellation, keyInParams, keyOf, type RpcMessage } from '../../messages/json-rpc.js';
import type { Sender } from '../connection.js';
import type { Conversation } from './conversation.js';
import { Editor } from './editor.js';
import { NameQualifier, restoreRelatedTask } from './name-qualifier.js';
import type { NamedTarget } from './named-target.js';
import { metaMembersOf, paramsOf } from './params.js';

/** Characters. A target must not fill the memory with longer ones. */
const MAX_ID_LENGTH = 1_024;

/** The requests of targets to the client: sampling, elicitation, roots. The client sees them under our own ids. */
export class ServerRequests {
  readonly #conversation: Conversation;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** Passes a request of a target on to the client. `about`: see `ConnectionListener.message()`. */
  ask(target: NamedTarget, message: RpcMessage, about?: readonly string[]): void {
    const { group, directory, emit } = this.#conversation;
    const { id: own = 'null', key = own } = message;
    const token = progressToken(message);
    const text = token && textOf(message.bytes, token);
    if (own.length > MAX_ID_LENGTH || (text !== undefined && text.length > MAX_ID_LENGTH)) {
      this.#refuse(target, own, 'The id or the progress token is too long');
      return;
    }
    const id = group.ids.addAsked({ target, id: own, key, token: text });
    if (id === undefined) {
      this.#refuse(target, own, 'Too many requests are unanswered');
      return;
    }
    const editor = new Editor(message.bytes);
    editor.replace(message.idAt, id);
    editor.replace(token, id);
    const edits = new NameQualifier(editor, directory, target.name);
    edits.params(message);
    if (edits.edited !== undefined) emit(edits.edited, undefined, group.ids.clientKeysOf(target, about));
    else {
      group.ids.takeAsked(id);
      this.#refuse(target, own, 'The request has too many links');
    }
  }

  /** Passes the client's response on to the target that asked. */
  answer(message: RpcMessage, sender: Sender | undefined): void {
    const asked = this.#conversation.group.ids.takeAsked(message.key);
    if (asked === undefined) return;
    const editor = new Editor(message.bytes);
    editor.replace(message.idAt, asked.id);
    restoreRelatedTask(editor, editor.within(message.members, 'result'), asked.target.name);
    this.#conversation.group.sendIfPossible(asked.target, editor.result, sender);
  }

  /** Passes the client's progress on to the target that asked. */
  progress(message: RpcMessage, sender: Sender | undefined): void {
    const asked = this.#conversation.group.ids.asked(keyInParams(message, 'progressToken'));
    if (asked?.token === undefined) return;
    const editor = new Editor(message.bytes);
    editor.replace(memberOf(paramsOf(message), 'progressToken'), asked.token);
    this.#conversation.group.sendIfPossible(asked.target, editor.result, sender);
  }

  /** Cancels a request at the client, because its target has cancelled it. */
  cancel(target: NamedTarget, message: RpcMessage, about?: readonly string[]): void {
    const { ids } = this.#conversation.group;
    const member = memberOf(paramsOf(message), 'requestId');
    const id = ids.askedBy(target, member && keyOf(textOf(message.bytes, member)));
    if (id === undefined) return;
    ids.takeAsked(id);
    const editor = new Editor(message.bytes);
    editor.replace(member, id);
    this.#conversation.emit(editor.result, undefined, ids.clientKeysOf(target, about));
  }

  /** Cancels every request of a target that is gone. */
  cancelAllOf(target: NamedTarget): void {
    const { ids } = this.#conversation.group;
    for (const id of ids.allAskedBy(target)) {
      ids.takeAsked(id);
      this.#conversation.emit(cancellation(id, 'the server is gone'));
    }
  }

  #refuse(target: NamedTarget, id: string, message: string): void {
    const error = JSON.stringify({ code: -32000, message });
    this.#conversation.group.sendIfPossible(target, Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":${error}}`));
  }
}

function progressToken(message: RpcMessage): JsonMember | undefined {
  return memberOf(metaMembersOf(message), 'progressToken');
}
