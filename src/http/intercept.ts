import type { ServerResponse } from 'node:http';

type Method = (...args: unknown[]) => unknown;

/** The methods that write an answer. All others call one of these. */
type WritingMethod = 'writeHead' | 'write' | 'end';

/**
 * Calls `around` in place of a method of the response. It stays the outermost: if a later middleware (such as a compression) replaces the
 * method, `around` gets what the application writes, and not what that middleware makes of it.
 *
 * @param around Takes the arguments, and a function that calls the replaced method with them.
 */
export function intercept(
  res: ServerResponse,
  name: WritingMethod,
  around: (args: readonly unknown[], call: () => unknown) => unknown,
): void {
  let current: Method;
  const replace = (method: Method): void => {
    // A middleware that replaces the method calls the one that it replaced. Then `around` has been called already.
    const wrapper = function (this: unknown, ...args: unknown[]): unknown {
      if (current !== wrapper) return method.apply(this, args);
      return around(args, () => method.apply(this, args));
    };
    current = wrapper;
  };
  replace(res[name] as Method);
  Object.defineProperty(res, name, { configurable: true, enumerable: true, get: () => current, set: replace });
}
