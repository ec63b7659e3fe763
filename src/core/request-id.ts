import type { IncomingMessage } from 'node:http';

/** The header that carries a request id. */
export const REQUEST_ID_HEADER = 'x-request-id';

const REQUEST_ID = /^[A-Za-z0-9._~-]{1,128}$/;

/** Returns the request that it is given, so that a subclass adds its private members to it. */
function existing(req: object): object {
  return req;
}

const Existing = existing as unknown as new (req: object) => object;

/**
 * A request with its id, which no other code can read or change. A private member costs next to nothing on requests of plain `node:http`, as
 * in the command. An entry of `createPerRequest()` also burdens the garbage collector.
 */
class IdentifiedRequest extends Existing {
  #id: string;

  private constructor(req: object, id: string) {
    super(req);
    this.#id = id;
  }

  static identify(req: object, id: string): void {
    if (#id in req) req.#id = id;
    else new IdentifiedRequest(req, id);
  }

  /** The id of a request, or of one that it was made from with `Object.create()`. */
  static idOf(req: object): string | undefined {
    for (let each: object | null = req; each !== null; each = Object.getPrototypeOf(each)) {
      if (#id in each) return each.#id;
    }
    return undefined;
  }
}

/** Returns the value if it can be a request id: 1 to 128 letters, digits and `.`, `_`, `~`, `-`. No such value can forge a line or a header. */
export function asRequestId(value: unknown): string | undefined {
  return typeof value === 'string' && REQUEST_ID.test(value) ? value : undefined;
}

/** Stores the id that the command has taken or made for a request. It goes with the request to remote servers. */
export function setRequestId(req: IncomingMessage, id: string): void {
  IdentifiedRequest.identify(req, id);
}

/** Returns the id that is sent on to remote servers. In an application it is undefined: nothing there asks for the header. */
export function forwardedRequestId(req: IncomingMessage): string | undefined {
  return IdentifiedRequest.idOf(req);
}

/** Returns the id that the application gave to a request, as `req.id`. pino-http and others set it. */
export function requestIdOfApp(req: IncomingMessage): string | undefined {
  const { id } = req as { id?: unknown };
  return asRequestId(typeof id === 'number' ? String(id) : id);
}

/** Returns the id of a request, if it has one. */
export function requestIdOf(req: IncomingMessage): string | undefined {
  return IdentifiedRequest.idOf(req) ?? requestIdOfApp(req);
}
