import type { IncomingMessage } from 'node:http';
import { createPrivateMember } from './private-member.js';

/** A value for each request, which no other middleware can read or change. */
export interface PerRequest<T> {
  get(req: IncomingMessage): T | undefined;
  set(req: IncomingMessage, value: T | undefined): void;
}

/**
 * Creates a store of one value per request. A `WeakMap` alone would do, but it costs half a microsecond for each request, and its entries stay
 * until the next full collection. So a request gets the value as a private member, which costs next to nothing. On Node 20 and 22, only a plain
 * request of `node:http` does: one of Express has another prototype, and each new member would give it a hidden class of its own, which
 * costs some microseconds in total.
 */
export function createPerRequest<T>(): PerRequest<T> {
  return SHARES_HIDDEN_CLASSES ? createPerRequestMember() : create(isPlain, new WeakMap());
}

/** True for a version of V8 in which requests with another prototype share their hidden classes. */
const SHARES_HIDDEN_CLASSES = Number.parseInt(process.versions.node, 10) >= 24;

/**
 * Like {@link createPerRequest}, with a private member for every request on each version of Node: for values of requests whose message is read.
 * An entry of a `WeakMap` would keep the message or even the request in memory, which costs more than a hidden class.
 */
export function createPerRequestMember<T>(): PerRequest<T> {
  return create(() => true);
}

/**
 * @param hasMembers True for a request that gets the value as a private member.
 * @param values The values of all others.
 */
function create<T>(hasMembers: (req: object) => boolean, values?: WeakMap<object, T | undefined>): PerRequest<T> {
  const member = createPrivateMember<T | undefined>();
  /** False until the first value is set. Until then, nothing is looked up. */
  let isUsed = false;

  return {
    get(req) {
      if (!isUsed) return undefined;
      // Object.create(req) counts as the same request. A stored `undefined` hides the value of the original.
      for (let each: object | null = req; each !== null; each = Object.getPrototypeOf(each)) {
        if (member.isIn(each)) return member.get(each);
        if (values?.has(each)) return values.get(each);
        if (isOriginal(each)) return undefined;
      }
      return undefined;
    },
    set(req, value) {
      isUsed = true;
      if (values === undefined || member.isIn(req) || (hasMembers(req) && !values.has(req))) member.set(req, value);
      else values.set(req, value);
    },
  };
}

/** The prototype of the last request that was found to be original. Most requests of a process have the same prototype. */
let lastPrototype: object | null | undefined;

/** True for a request that was not made from another one. Its prototypes have no values, and looking them up takes longer than all else. */
function isOriginal(req: object): boolean {
  if (!Object.hasOwn(req, STATE)) return false;
  const prototype: object | null = Object.getPrototypeOf(req);
  if (prototype === lastPrototype) return true;
  if (prototype !== null && STATE in prototype) return false;
  lastPrototype = prototype;
  return true;
}

/** A member that Node gives to each stream itself, and to no prototype. */
const STATE = '_readableState';

let plainPrototype: IncomingMessage | undefined;

function isPlain(req: object): boolean {
  // Not imported: a server has loaded node:http already, and an import of this package should not wait for it.
  plainPrototype ??= process.getBuiltinModule('node:http').IncomingMessage.prototype;
  return Object.getPrototypeOf(req) === plainPrototype;
}
