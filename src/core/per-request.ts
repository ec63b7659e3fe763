import type { IncomingMessage } from 'node:http';

/** A value for each request, which no other middleware can read or change. */
export interface PerRequest<T> {
  get(req: IncomingMessage): T | undefined;
  set(req: IncomingMessage, value: T | undefined): void;
}

/**
 * Creates a store of one value per request. A plain request of `node:http` gets it as a private member, which costs next to nothing. Others
 * get an entry in a `WeakMap`, which costs half a microsecond and some work of the garbage collector: behind Express on Node 20 and 22, each
 * new member gives a request its own hidden class, which costs some microseconds in total.
 */
export function createPerRequest<T>(): PerRequest<T> {
  const values = new WeakMap<object, T | undefined>();

  class Marked extends Existing {
    #value: T | undefined;

    private constructor(req: object, value: T | undefined) {
      super(req);
      this.#value = value;
    }

    static get(req: object): T | undefined {
      // Object.create(req) counts as the same request. A stored `undefined` hides the value of the original.
      for (let each: object | null = req; each !== null; each = Object.getPrototypeOf(each)) {
        if (#value in each) return each.#value;
        if (values.has(each)) return values.get(each);
      }
      return undefined;
    }

    static set(req: object, value: T | undefined): void {
      if (#value in req) req.#value = value;
      else if (isPlain(req) && !values.has(req)) new Marked(req, value);
      else values.set(req, value);
    }
  }

  return { get: Marked.get, set: Marked.set };
}

/** Returns the object that it is given, so that a subclass adds its private members to it. */
function existing(object: object): object {
  return object;
}

const Existing = existing as unknown as new (object: object) => object;

let prototype: IncomingMessage | undefined;

function isPlain(req: object): boolean {
  // Not imported: a server has loaded node:http already, and an import of this package should not wait for it.
  prototype ??= process.getBuiltinModule('node:http').IncomingMessage.prototype;
  return Object.getPrototypeOf(req) === prototype;
}
