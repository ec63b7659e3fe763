import { type RpcMessage, readMessage } from '../../messages/json-rpc.js';
import { type Conversation, requestFor } from './conversation.js';
import type { NamedTarget } from './named-target.js';

/** More subscriptions to resources are not remembered, nor more bytes of their requests: a client must not fill the memory with them. */
const MAX_SUBSCRIPTIONS = 1_000;
const MAX_SUBSCRIPTION_BYTES = 1_048_576;
const LIST_CAPABILITIES = ['tools', 'prompts', 'resources'] as const;
/** The lists that have the URIs of resources: tools have links to them. */
export const LISTS_WITH_URIS = ['resources', 'tools'] as const;

/** Remembers the settings that a client has sent in its session. A target that is opened again gets them again. */
export class SessionSettings {
  /** The capabilities that were announced to the client. */
  capabilities: Readonly<Record<string, unknown>> = {};
  readonly #conversation: Conversation;
  #initialized: Buffer | undefined;
  #level: RpcMessage | undefined;
  /** The requests for the subscriptions of each target, by the URI that the target itself knows. */
  readonly #subscriptions = new Map<NamedTarget, Map<string, Buffer>>();
  #count = 0;
  #bytes = 0;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  rememberInitialized(bytes: Buffer): void {
    this.#initialized = Buffer.from(bytes);
  }

  rememberLevel(message: RpcMessage): void {
    this.#level = message;
  }

  /** @param request The request as the target got it. */
  rememberSubscription(target: NamedTarget, uri: string, request: Buffer): void {
    const requests = this.#subscriptions.get(target) ?? new Map<string, Buffer>();
    const isTooMuch = this.#count >= MAX_SUBSCRIPTIONS || this.#bytes + request.length > MAX_SUBSCRIPTION_BYTES;
    if (requests.has(uri) || isTooMuch) return;
    this.#count++;
    this.#bytes += request.length;
    this.#subscriptions.set(target, requests.set(uri, request));
  }

  forgetSubscription(target: NamedTarget, uri: string): void {
    const request = this.#subscriptions.get(target)?.get(uri);
    if (request === undefined) return;
    this.#count--;
    this.#bytes -= request.length;
    this.#subscriptions.get(target)?.delete(uri);
  }

  /** Sends a target the settings of the client. */
  resume(target: NamedTarget): void {
    if (this.#initialized !== undefined) target.sendFirst(this.#initialized, undefined);
    if (target.capabilities?.logging !== undefined) this.#ask(target, this.#level);
    for (const request of this.#subscriptions.get(target)?.values() ?? []) this.#ask(target, readMessage(request));
  }

  /**
   * Notifies the client that lists have changed, because a target was missing from them so far.
   *
   * @param isRenamed True if the client was just notified of the lists with URIs.
   */
  announce(target: NamedTarget, isRenamed: boolean): void {
    const announced: readonly string[] = isRenamed ? LISTS_WITH_URIS : [];
    for (const name of LIST_CAPABILITIES) {
      if (target.capabilities?.[name] !== undefined && !announced.includes(name)) this.announceList(name);
    }
  }

  /** Notifies the client that a list has changed, if it was told that this list can change. */
  announceList(name: (typeof LIST_CAPABILITIES)[number]): void {
    const announced = this.capabilities[name] as { listChanged?: unknown } | undefined;
    if (announced?.listChanged !== true) return;
    this.#conversation.emit(Buffer.from(`{"jsonrpc":"2.0","method":"notifications/${name}/list_changed"}`));
  }

  #ask(target: NamedTarget, request: RpcMessage | undefined): void {
    if (request === undefined) return;
    this.#conversation.group.ask(target, {
      clientKey: undefined,
      clientToken: undefined,
      sender: undefined,
      opens: true,
      bytesFor: (id) => requestFor(request, target.name, id),
      // The client got the response to its own request long ago.
      settle: () => undefined,
    });
  }
}
