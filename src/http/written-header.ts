import type { ServerResponse } from 'node:http';
import { headerIn } from './head-headers.js';

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
