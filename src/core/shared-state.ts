import type { IncomingMessage } from 'node:http';
import type { PerRequest } from './per-request.js';

/** The values of one format, by name. In every format, {@link IDENTITIES} exists and has `get(req)`. */
type Values = Map<string, unknown>;

/** Increase it when the meaning or type of a shared value changes: a copy of the package reads only values of its own format. */
const FORMAT = 1;

export const IDENTITIES = 'identities';

const formats = sharedFormats();
const values = valuesOf(FORMAT);

/**
 * Returns the value `name` that all copies of this package in a process share, such as an application's and a plugin's. Without
 * sharing, a copy would treat a caller that another copy verified as anonymous.
 */
export function shareValue<T>(name: string, create: () => T): T {
  if (!values.has(name)) values.set(name, create());
  return values.get(name) as T;
}

/** True if a copy with another format, which this copy cannot read, verified the sender of the request. */
export function isIdentifiedInAnotherFormat(req: IncomingMessage): boolean {
  if (formats.size === 1) return false;
  return [...formats.values()].some((others) => {
    const identities = others.get(IDENTITIES) as PerRequest<unknown> | undefined;
    return others !== values && identities?.get(req) !== undefined;
  });
}

function sharedFormats(): Map<number, Values> {
  const key = Symbol.for('express-mcp-auth');
  const shared = globalThis as { [key]?: { readonly formats: Map<number, Values> } };
  const holder = shared[key] ?? Object.freeze(Object.assign(Object.create(null), { formats: new Map() }));
  // Neither writable nor configurable: if it were replaced, copies would no longer share values.
  if (shared[key] === undefined) Object.defineProperty(globalThis, key, { value: holder });
  return holder.formats;
}

function valuesOf(format: number): Values {
  const known = formats.get(format) ?? new Map();
  formats.set(format, known);
  return known;
}
