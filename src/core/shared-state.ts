import type { IncomingMessage } from 'node:http';
import type { PerRequest } from './per-request.js';

/** The values of one format by name. {@link IDENTITIES} is there, and answers `get(req)`, in every format. */
type Values = Map<string, unknown>;

/** Raise it when the meaning or the type of a shared value changes: copies of the package read values of their own format only. */
const FORMAT = 1;

export const IDENTITIES = 'identities';

const formats = sharedFormats();
const values = valuesOf(FORMAT);

/**
 * The value called `name` that all copies of this package in one process have in common, an application's and a plugin's:
 * a copy that did not find the identity that another copy verified would take its owner for an anonymous caller.
 */
export function shareValue<T>(name: string, create: () => T): T {
  if (!values.has(name)) values.set(name, create());
  return values.get(name) as T;
}

/** True where a copy with another format, which this one cannot read, verified who sent the request. */
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
  // Neither writable nor configurable: a replacement would make two copies unknown to each other again.
  if (shared[key] === undefined) Object.defineProperty(globalThis, key, { value: holder });
  return holder.formats;
}

function valuesOf(format: number): Values {
  const known = formats.get(format) ?? new Map();
  formats.set(format, known);
  return known;
}
