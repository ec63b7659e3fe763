import type { OutgoingHttpHeader, ServerResponse } from 'node:http';
import { lowerAscii } from './lower-ascii.js';

/** The arguments of `writeHead()`: the status, and perhaps a message and headers. */
export type Head = readonly [status: number, ...rest: unknown[]];

/** Sets what `writeHead()` was given, in each form that Node takes, so that it can still be changed. */
export function setHead(res: ServerResponse, [status, ...rest]: Head): void {
  const [message, headers] = rest;
  res.statusCode = status;
  if (typeof message === 'string') res.statusMessage = message;
  // Like Node, ignore a message that is not a string.
  setHeaders(res, headers ?? message);
}

function setHeaders(res: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return;
  const names = new Set<string>();
  for (const [name, value] of Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers)) {
    if (value === undefined) continue;
    const known = lowerAscii(name);
    // As in Node, headers of a list with one name, such as cookies, replace together what was set before. Of an object, the last one counts.
    if (Array.isArray(headers) && names.has(known)) res.appendHeader(name, value as string);
    else res.setHeader(name, value as OutgoingHttpHeader);
    names.add(known);
  }
}

/** `list` holds names and values alternately, or pairs. */
function pairsOf(list: readonly unknown[]): [string, unknown][] {
  if (Array.isArray(list[0])) return list as [string, unknown][];
  return list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1]] as [string, unknown]] : []));
}
