import type { ServerResponse } from 'node:http';

/**
 * Calls a function at the end of this turn of the event loop. Taken when this file is loaded: fake timers, which tests use, replace the global
 * function, and requests to servers and programs would never be sent.
 */
export const atEndOfTurn = setImmediate;

/**
 * Sends what is written to a response in this turn of the event loop at the end of the turn, just after `beforeSending` was called. Most
 * responses of a remote server arrive as a whole, and responses that arrive together are then written together: each write may wake a client
 * up, which costs more than all else.
 *
 * @param beforeSending Must not throw.
 */
export function sendAtEndOfTurn(res: ServerResponse, beforeSending: () => void): void {
  // Not `res.cork()`: after it, a chunked response may never emit `drain`. A response of HTTP/2 has no socket of its own.
  const socket = res.req.httpVersionMajor === 1 ? res.socket : null;
  socket?.cork();
  atEndOfTurn(() => {
    beforeSending();
    socket?.uncork();
  });
}
