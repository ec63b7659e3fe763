import type { IncomingMessage } from 'node:http';

/** What is known of a request, where no other middleware can reach it. */
export interface RequestNotes<T> {
  get(req: IncomingMessage): T | undefined;
  set(req: IncomingMessage, note: T | undefined): void;
}

/**
 * Kept beside the requests and not on them: behind Express, a property of our own costs a request more than the look-up
 * of its token, and makes every later look at the request slower.
 */
export function createRequestNotes<T>(): RequestNotes<T> {
  const notes = new WeakMap<object, T | undefined>();
  return {
    get(req) {
      // A request that was made of another with Object.create() is still that one, in other clothes.
      for (let each: object | null = req; each !== null; each = Object.getPrototypeOf(each)) {
        if (notes.has(each)) return notes.get(each);
      }
      return undefined;
    },
    set: (req, note) => void notes.set(req, note),
  };
}
