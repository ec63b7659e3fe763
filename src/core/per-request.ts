import type { IncomingMessage } from 'node:http';

/** A value for each request, which no other middleware can read or change. */
export interface PerRequest<T> {
  get(req: IncomingMessage): T | undefined;
  set(req: IncomingMessage, value: T | undefined): void;
}

/**
 * Creates a store of one value per request. A `WeakMap` alone would do, but it costs half a microsecond for each request, and work of the
 * garbage collector. So a plain request of `node:http` gets the value as a private member, which costs next to nothing. A request of Express,
 * which has another prototype, gets an entry in the map: on Node 20 and 22, each new member would give it a hidden class of its own, which
 * costs some microseconds in total.
 */
export function createPerRequest<T>(): PerRequest<T> {
  const values = new WeakMap<object, T | undefined>();
  /** False until the first value is set. Until then, nothing is looked up. */
  let isUsed = false;

  /** `new WithValue(req, value)` creates no object: it adds `#value` to `req`, as {@link GivenObject} says. */
  class WithValue extends GivenObject {
    #value: T | undefined;

    private constructor(req: object, value: T | undefined) {
      super(req);
      this.#value = value;
    }

    static get(req: object): T | undefined {
      if (!isUsed) return undefined;
      // Object.create(req) counts as the same request. A stored `undefined` hides the value of the original.
      for (let each: object | null = req; each !== null; each = Object.getPrototypeOf(each)) {
        if (#value in each) return each.#value;
        if (values.has(each)) return values.get(each);
      }
      return undefined;
    }

    static set(req: object, value: T | undefined): void {
      isUsed = true;
      if (#value in req) req.#value = value;
      else if (isPlain(req) && !values.has(req)) new WithValue(req, value);
      else values.set(req, value);
    }
  }

  return { get: WithValue.get, set: WithValue.set };
}

/**
 * A base class whose constructor returns its argument in place of a new object. JavaScript adds the private members of a subclass to the object
 * that the base class returns, so this is the way to add one to an object that exists. Only code inside the subclass can see such a member.
 */
const GivenObject = returnGiven as unknown as new (object: object) => object;

function returnGiven(object: object): object {
  return object;
}

let prototype: IncomingMessage | undefined;

function isPlain(req: object): boolean {
  // Not imported: a server has loaded node:http already, and an import of this package should not wait for it.
  prototype ??= process.getBuiltinModule('node:http').IncomingMessage.prototype;
  return Object.getPrototypeOf(req) === prototype;
}
