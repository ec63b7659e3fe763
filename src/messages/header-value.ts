import { isUtf8 } from 'node:buffer';
import { type McpCall, targetMember } from './mcp-call.js';

const PREFIX = '=?base64?';
const SUFFIX = '?=';
const PLAIN = /^[\t\x20-\x7e]*$/;

/**
 * The text that an `Mcp-` header carries: as it stands, or in Base64 of its UTF-8 between `=?base64?` and `?=` (2026-07-28, Value
 * Encoding). Undefined where there is none, or where two readers could decode it to two texts: characters beyond ASCII, Base64 that
 * an encoder would write differently (padding, alphabet, unused bits), or bytes that are no UTF-8.
 */
export function decodeHeaderValue(value: string | readonly string[] | undefined): string | undefined {
  if (typeof value !== 'string' || !PLAIN.test(value)) return undefined;
  if (!value.startsWith(PREFIX) || !value.endsWith(SUFFIX)) return value;
  const encoded = value.slice(PREFIX.length, -SUFFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  // `=?base64?=` has both marks, which overlap there, and is no text in Base64.
  const isCanonical = value.length >= PREFIX.length + SUFFIX.length && bytes.toString('base64') === encoded;
  return isCanonical && isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** True if `Mcp-Name` agrees with the body, is not sent, or belongs to a method without a target. */
export function matchesNameHeader(
  header: string | readonly string[] | undefined,
  { method, params }: Pick<McpCall, 'method' | 'params'>,
): boolean {
  const member = targetMember(method);
  if (header === undefined || member === undefined) return true;
  const name = decodeHeaderValue(header);
  return name !== undefined && name === params[member];
}
