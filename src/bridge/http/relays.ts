import { ShortLivedSet } from '../../core/short-lived.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { listensOnly } from '../listens.js';
import type { Relay } from './relay.js';
import type { RemoteSession } from './remote-sessions.js';

/** The requests in flight to one target. */
export class Relays {
  readonly #open = new ShortLivedSet<Relay>();

  /** The numbers of streams that have begun, and of requests that the target has not begun to answer. */
  counts(): { readonly streams: number; readonly pending: number } {
    const relays = this.#open.values().filter(({ isOver }) => !isOver);
    return {
      streams: relays.filter(({ isStream }) => isStream).length,
      pending: relays.filter(({ isPending }) => isPending).length,
    };
  }

  /** True if a client waits for the end of an answer, and does not only listen. */
  get isBusy(): boolean {
    return this.#busy().length > 0;
  }

  add(relay: Relay): void {
    this.#open.add(relay);
  }

  /** Removes a request, and returns the function that stops counting it. Undefined if it was removed before. */
  take(relay: Relay): (() => void) | undefined {
    return this.#open.delete(relay) ? relay.removeFromCount : undefined;
  }

  checkToken(): void {
    for (const relay of this.#open.values()) relay.checkToken();
  }

  /** Ends the streams on which clients only listen, except in sessions in which a client waits for an answer. */
  endStreams(): void {
    const busy = new Set(this.#busy().map(({ session }) => session));
    for (const relay of this.#open.values()) {
      const { request, session } = relay;
      if (listensOnly(request.req) && !(session && busy.has(session))) relay.end(new BridgeError('closing'));
    }
  }

  /** Ends the requests of a session. */
  endOf(session: RemoteSession): void {
    for (const relay of this.#open.values()) if (relay.session === session) relay.end(new BridgeError('session_ended'));
  }

  endAll(): void {
    for (const relay of this.#open.values()) relay.end(new BridgeError('closing'));
  }

  #busy(): readonly Relay[] {
    return this.#open.values().filter(({ request }) => !listensOnly(request.req));
  }
}
