import { isUtf8 } from 'node:buffer';
import { type McpCall, targetMember } from './mcp-call.js';

const PREFIX = '=?base64?';
const SUFFIX = '?=';
const PLAIN = /^[\t\x20-\x7e]*$/;

/**
 * Decodes the value of an `Mcp-` header: plain text, or Base64 of UTF-8 between `=?base64?` and `?=` (2026-07-28, Value Encoding).
 * Undefined if the header is missing, or if two readers could decode it differently: characters beyond ASCII, Base64 that is not
 * canonical (padding, alphabet, unused bits), or bytes that are not UTF-8.
 */
export function decodeHeaderValue(value: string | readonly string[] | undefined): string | undefined {
  if (typeof value !== 'string' || !PLAIN.test(value)) return undefined;
  if (!value.startsWith(PREFIX) || !value.endsWith(SUFFIX)) return value;
  const encoded = value.slice(PREFIX.length, -SUFFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  // In `=?base64?=` prefix and suffix overlap, so it encodes nothing.
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
