import type { ServerResponse } from 'node:http';
import { lowerAscii } from './lower-ascii.js';

/**
 * Returns a header of an answer whose head is about to be written. Empty if the answer does not have it.
 *
 * @param args The arguments of `writeHead()`; empty if another method writes the head.
 * @param name In lower case.
 */
export function writtenHeader(res: ServerResponse, args: readonly unknown[], name: string): string {
  // writeHead(status[, message][, headers])
  const value = headerIn(args[2] ?? args[1], name) ?? res.getHeader(name) ?? '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Reads a header in all forms that `writeHead()` takes: an object, names and values in turn, or pairs of them. */
function headerIn(headers: unknown, name: string): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  if (!Array.isArray(headers)) {
    const own = headers as Readonly<Record<string, unknown>>;
    for (const key in own) if (isNamed(key, name)) return own[key];
    return undefined;
  }
  if (Array.isArray(headers[0])) return headers.find(([key]) => isNamed(key, name))?.[1];
  const at = headers.findIndex((key, i) => i % 2 === 0 && isNamed(key, name));
  return at < 0 ? undefined : headers[at + 1];
}

function isNamed(given: unknown, name: string): boolean {
  return typeof given === 'string' && given.length === name.length && lowerAscii(given) === name;
}
