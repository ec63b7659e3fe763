import type { RpcMessage } from '../../messages/json-rpc.js';
import { type Conversation, requestFor } from './conversation.js';
import type { NamedTarget } from './named-target.js';

/** More subscriptions to resources are not remembered. */
const MAX_SUBSCRIPTIONS = 1_000;
const LIST_CAPABILITIES = ['tools', 'prompts', 'resources'] as const;

/** What a client has set in its session: a target that comes back gets it again. */
export class Resumption {
  /** The capabilities that the client was told. */
  capabilities: Readonly<Record<string, unknown>> = {};
  readonly #conversation: Conversation;
  #initialized: Buffer | undefined;
  #level: RpcMessage | undefined;
  /** The subscriptions of each target, by the URI that the target itself knows. */
  readonly #subscriptions = new Map<NamedTarget, Map<string, (id: string) => Buffer>>();
  #count = 0;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  rememberInitialized(bytes: Buffer): void {
    this.#initialized = Buffer.from(bytes);
  }

  rememberLevel(message: RpcMessage): void {
    this.#level = message;
  }

  /** `bytesFor` builds the request with another id. */
  rememberSubscription(target: NamedTarget, uri: string, bytesFor: (id: string) => Buffer): void {
    const requests = this.#subscriptions.get(target) ?? new Map<string, (id: string) => Buffer>();
    if (requests.has(uri) || this.#count >= MAX_SUBSCRIPTIONS) return;
    this.#count++;
    this.#subscriptions.set(target, requests.set(uri, bytesFor));
  }

  forgetSubscription(target: NamedTarget, uri: string): void {
    if (this.#subscriptions.get(target)?.delete(uri)) this.#count--;
  }

  /** Sends a target what the client has sent so far. */
  resume(target: NamedTarget): void {
    if (this.#initialized !== undefined) target.sendFirst(this.#initialized, undefined);
    const level = this.#level;
    if (level !== undefined && target.capabilities?.logging !== undefined) {
      this.#ask(target, (id) => requestFor(level, target.name, id));
    }
    for (const bytesFor of this.#subscriptions.get(target)?.values() ?? []) this.#ask(target, bytesFor);
  }

  /** Tells the client that lists have changed, because a target was missing in them so far. */
  announce(target: NamedTarget): void {
    for (const name of LIST_CAPABILITIES) {
      const told = this.capabilities[name] as { listChanged?: unknown } | undefined;
      if (target.capabilities?.[name] === undefined || told?.listChanged !== true) continue;
      this.#conversation.emit(Buffer.from(`{"jsonrpc":"2.0","method":"notifications/${name}/list_changed"}`));
    }
  }

  #ask(target: NamedTarget, bytesFor: (id: string) => Buffer): void {
    this.#conversation.group.ask(target, {
      clientKey: undefined,
      clientToken: undefined,
      sender: undefined,
      opens: true,
      bytesFor,
      // The client got the response to its own request long ago.
      settle: () => undefined,
    });
  }
}
