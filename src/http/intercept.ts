import type { ServerResponse } from 'node:http';

type Method = (this: Intercepted, ...args: unknown[]) => unknown;

/** The methods that write an answer. All others call one of these. */
export type WritingMethod = 'writeHead' | 'write' | 'end';

/** Called in place of a method that writes. `call` calls the method itself. */
export type AroundWriting = (method: WritingMethod, args: readonly unknown[], call: () => unknown) => unknown;

const STATE = Symbol('intercepted answer');

type Methods = Record<WritingMethod, Method>;

interface State {
  around: AroundWriting;
  /** The methods that the response had before. */
  readonly replaced: Methods;
  readonly current: Methods;
}

interface Intercepted {
  [STATE]: State;
}

/**
 * Calls `around` in place of the methods that write an answer. It stays the outermost of `write` and `end`: if a later middleware (such as a
 * compression) replaces them, `around` gets the bytes that the application writes, and not those that the middleware makes of them. If
 * an earlier middleware has replaced `writeHead`, a later one may call `around` with other headers than the application's, or not at all.
 */
export function interceptWriting(res: ServerResponse, around: AroundWriting): void {
  const known = (res as Partial<Intercepted>)[STATE];
  if (known !== undefined) {
    const { around: inner } = known;
    known.around = (method, args, call) => around(method, args, () => inner(method, args, call));
    return;
  }
  const { writeHead, write, end } = res as unknown as Methods;
  const state: State = { around, replaced: { writeHead, write, end }, current: { ...WRAPPERS } };
  (res as Partial<Intercepted>)[STATE] = state;
  // V8 would give the response a slow form if an accessor took the place of a member that it has already: 5 µs for each answer.
  const own = Object.getOwnPropertyDescriptor(res, 'writeHead');
  if (own?.writable) res.writeHead = WRAPPERS.writeHead as ServerResponse['writeHead'];
  else Object.defineProperty(res, 'writeHead', own === undefined ? DESCRIPTORS.writeHead : PLAIN_WRITE_HEAD);
  Object.defineProperty(res, 'write', DESCRIPTORS.write);
  Object.defineProperty(res, 'end', DESCRIPTORS.end);
}

// All responses share these functions: with functions of its own, each response would get a hidden class of its own, which costs microseconds.
const WRAPPERS: Methods = {
  writeHead: createWrapper('writeHead'),
  write: createWrapper('write'),
  end: createWrapper('end'),
};
const DESCRIPTORS = {
  writeHead: createDescriptor('writeHead'),
  write: createDescriptor('write'),
  end: createDescriptor('end'),
};

const PLAIN_WRITE_HEAD: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  writable: true,
  value: WRAPPERS.writeHead,
};

function createWrapper(name: WritingMethod): Method {
  return function (...args) {
    const { around, replaced, current } = this[STATE];
    const call = () => replaced[name].apply(this, args);
    return current[name] === WRAPPERS[name] ? around(name, args, call) : call();
  };
}

function createDescriptor(name: WritingMethod): PropertyDescriptor & ThisType<Intercepted> {
  return {
    configurable: true,
    enumerable: true,
    get() {
      return this[STATE].current[name];
    },
    set(method: Method) {
      const { around, current } = this[STATE];
      // The new method probably calls the one that it replaces. Then `around` has been called already.
      const wrapper: Method = function (...args) {
        const call = () => method.apply(this, args);
        return current[name] === wrapper ? around(name, args, call) : call();
      };
      current[name] = wrapper;
    },
  };
}
