import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** True if the client has closed the connection, so that no answer can reach it. */
export function hasHungUp(res: ServerResponse): boolean {
  // A response that is queued behind another one has no socket yet, so Node 20 does not destroy it when the connection breaks.
  return res.destroyed || res.req.socket.destroyed;
}

const listeners = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls `onClosed` once: when the answer has ended or the client has closed the connection, whichever comes first. Returns a function
 * that stops waiting for that.
 */
export function onceClosed(res: ServerResponse, onClosed: () => void): () => void {
  if (res.socket !== null) {
    let isClosed = false;
    const closeOnce = (): void => {
      if (isClosed) return;
      isClosed = true;
      onClosed();
    };
    // Most responses have several such listeners, and `once()` creates and removes a wrapper for each.
    res.on('close', closeOnce);
    return () => void res.off('close', closeOnce);
  }
  // Node 20 does not tell a queued response that the connection is closed.
  const waiting = listenersOf(res.req.socket);
  const close = (): void => {
    if (waiting.delete(close)) onClosed();
  };
  waiting.add(close);
  res.once('close', close);
  return () => {
    waiting.delete(close);
    res.off('close', close);
  };
}

/** One `close` listener per socket: a client can queue many requests on one connection, and Node warns of many listeners. */
function listenersOf(socket: Socket): Set<() => void> {
  const known = listeners.get(socket);
  if (known !== undefined) return known;
  const waiting = new Set<() => void>();
  listeners.set(socket, waiting);
  socket.once('close', () => {
    for (const close of [...waiting]) close();
  });
  return waiting;
}
