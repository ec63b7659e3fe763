import type { IncomingMessage } from 'node:http';

/** What is known of a request, where no other middleware can reach it. */
export interface PerRequest<T> {
  get(req: IncomingMessage): T | undefined;
  set(req: IncomingMessage, note: T | undefined): void;
}

/**
 * Kept beside the requests and not on them: behind Express on Node 20, each new property gives a request a hidden class of
 * its own, which costs some microseconds in all; an entry here takes half of one.
 */
export function createPerRequest<T>(): PerRequest<T> {
  const notes = new WeakMap<object, T | undefined>();
  return {
    get(req) {
      // Object.create(req) is the same request to whoever made it. A note of `undefined` hides that of the original.
      for (let each: object | null = req; each !== null; each = Object.getPrototypeOf(each)) {
        if (notes.has(each)) return notes.get(each);
      }
      return undefined;
    },
    set: (req, note) => void notes.set(req, note),
  };
}
