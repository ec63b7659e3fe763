import type { IncomingMessage } from 'node:http';
import { createPerRequest } from './per-request.js';

/** The header that carries a request id. */
export const REQUEST_ID_HEADER = 'x-request-id';

const REQUEST_ID = /^[A-Za-z0-9._~-]{1,128}$/;

const ids = createPerRequest<string>();

/** Returns the value if it can be a request id: 1 to 128 letters, digits and `.`, `_`, `~`, `-`. No such value can forge a line or a header. */
export function asRequestId(value: unknown): string | undefined {
  return typeof value === 'string' && REQUEST_ID.test(value) ? value : undefined;
}

/** Stores the id that the command has taken or made for a request. It goes with the request to remote servers. */
export function setRequestId(req: IncomingMessage, id: string): void {
  ids.set(req, id);
}

/** Returns the id that is sent on to remote servers. In an application it is undefined: nothing there asks for the header. */
export function forwardedRequestId(req: IncomingMessage): string | undefined {
  return ids.get(req);
}

/** Returns the id that the application gave to a request, as `req.id`. pino-http and others set it. */
export function requestIdOfApp(req: IncomingMessage): string | undefined {
  const { id } = req as { id?: unknown };
  return asRequestId(typeof id === 'number' ? String(id) : id);
}

/** Returns the id of a request, if it has one. */
export function requestIdOf(req: IncomingMessage): string | undefined {
  return ids.get(req) ?? requestIdOfApp(req);
}
