import type { LimitFunction } from './limits-options.js';

const functions = new WeakSet<LimitFunction>();

/** Creates the `per` of a limit with one bucket for all callers: the file of the command has this limit where it has no `per`. */
export function perAllCallers(): LimitFunction {
  const one: LimitFunction = () => 'route';
  functions.add(one);
  return one;
}

/** True if all callers share the bucket of a limit with this `per`. */
export function isForAllCallers(per: LimitFunction): boolean {
  return functions.has(per);
}
