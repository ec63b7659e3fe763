import { createPrivateMember } from './private-member.js';
import { shareValue } from './shared-state.js';

/** One kind of value that is kept for a caller. It is beside the caller's `AuthInfo` and not in it: what is in it may be logged. */
export interface CallerValues<T> {
  get(auth: object): T | undefined;
  /** Does nothing for a copy of an `AuthInfo`. */
  set(auth: object, value: T): void;
}

type Values = Record<string | symbol, unknown>;

const callers = shareValue('callers', createPrivateMember<Values>);

/** Lets values be kept for a caller. Must come before the object is frozen. */
export function registerCaller(auth: object): void {
  callers.set(auth, {});
}

/** True for an object that was registered; false for a copy. */
export function isRegisteredCaller(value: unknown): boolean {
  return typeof value === 'object' && value !== null && callers.isIn(value);
}

/** @param name Under which all copies of this package share the values. Left out for values that each copy keeps for itself. */
export function createCallerValues<T>(name: string | symbol = Symbol('own')): CallerValues<T> {
  return {
    get: (auth) => callers.get(auth)?.[name] as T | undefined,
    set(auth, value) {
      const values = callers.get(auth);
      if (values !== undefined) values[name] = value;
    },
  };
}
