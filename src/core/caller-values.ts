import { createPrivateMember } from './private-member.js';
import { shareValue } from './shared-state.js';

/** One kind of value that is kept for a caller. It is not in the caller's `AuthInfo`, whose content may be logged. */
export interface CallerValues<T> {
  get(auth: object): T | undefined;
  /** Does nothing for a copy of an `AuthInfo`. */
  set(auth: object, value: T): void;
}

type Values = Record<string | symbol, unknown>;

const callers = shareValue('callers', createPrivateMember<Values>);

/** Lets values be kept for a caller. Call it before the object is frozen. */
export function registerCaller(auth: object): void {
  callers.set(auth, {});
}

/** True for an object that was registered; false for a copy. */
export function isRegisteredCaller(value: unknown): boolean {
  return typeof value === 'object' && value !== null && callers.isIn(value);
}

/** @param name The name under which all copies of this package share the values. Leave it out for values of one copy. */
export function createCallerValues<T>(name: string | symbol = Symbol('own')): CallerValues<T> {
  return {
    get: (auth) => callers.get(auth)?.[name] as T | undefined,
    set(auth, value) {
      const values = callers.get(auth);
      if (values !== undefined) values[name] = value;
    },
  };
}
