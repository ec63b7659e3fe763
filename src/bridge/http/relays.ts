import { BridgeError } from '../../messages/bridge-error.js';
import { listensOnly } from '../listens.js';
import type { Relay } from './relay.js';
import type { RemoteSession } from './remote-sessions.js';

/** The requests in flight to one target. */
export class Relays {
  /** Each with the function that stops counting it. */
  readonly #open = new Map<Relay, () => void>();

  /** The numbers of streams that have begun, and of requests that the target has not begun to answer. */
  counts(): { readonly streams: number; readonly pending: number } {
    const relays = [...this.#open.keys()].filter(({ isOver }) => !isOver);
    return {
      streams: relays.filter(({ isStream }) => isStream).length,
      pending: relays.filter(({ isPending }) => isPending).length,
    };
  }

  /** True if a client waits for the end of an answer, and does not only listen. */
  get isBusy(): boolean {
    return this.#busy().length > 0;
  }

  add(relay: Relay, removeFromCount: () => void): void {
    this.#open.set(relay, removeFromCount);
  }

  /** Removes a request, and returns the function that stops counting it. Undefined if it was removed before. */
  take(relay: Relay): (() => void) | undefined {
    const removeFromCount = this.#open.get(relay);
    this.#open.delete(relay);
    return removeFromCount;
  }

  checkAuthority(): void {
    for (const relay of [...this.#open.keys()]) relay.checkAuthority();
  }

  /** Ends the streams on which clients only listen, except in sessions in which a client waits for an answer. */
  endStreams(): void {
    const busy = new Set(this.#busy().map(({ session }) => session));
    for (const relay of [...this.#open.keys()]) {
      const { request, session } = relay;
      if (listensOnly(request.req) && !(session && busy.has(session))) relay.end(new BridgeError('closing'));
    }
  }

  /** Ends the requests of a session. */
  endOf(session: RemoteSession): void {
    for (const relay of [...this.#open.keys()])
      if (relay.session === session) relay.end(new BridgeError('session_ended'));
  }

  endAll(): void {
    for (const relay of [...this.#open.keys()]) relay.end(new BridgeError('closing'));
  }

  #busy(): readonly Relay[] {
    return [...this.#open.keys()].filter(({ request }) => !listensOnly(request.req));
  }
}
