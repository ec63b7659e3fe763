import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Whether nobody is left to read an answer. */
export function hasHungUp(res: ServerResponse): boolean {
  // A response that is queued behind another one has no socket yet: of a connection that breaks, Node 20 tells it nothing.
  return res.destroyed || res.req.socket.destroyed;
}

const listeners = new WeakMap<Socket, Set<() => void>>();

/** Calls `onClosed` once: when the answer is over, or the client has hung up, whichever comes first. */
export function onceClosed(res: ServerResponse, onClosed: () => void): void {
  const waiting = listenersOf(res.req.socket);
  const close = (): void => {
    if (waiting.delete(close)) onClosed();
  };
  waiting.add(close);
  res.once('close', close);
}

/** One listener for each connection: a client may queue as many requests as it likes. */
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
