import { isUtf8 } from 'node:buffer';
import { trimOws } from '../http/ows.js';
import { type McpCall, targetMember } from './mcp-call.js';

/** The prefix of headers that repeat parameters of a tool (2026-07-28), in lower case. */
export const PARAMETER_PREFIX = 'mcp-param-';

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

/** Encodes the value of an `Mcp-` header. */
export function encodeHeaderValue(value: string): string {
  // White space at the ends would be lost, and a value that looks encoded would be decoded.
  const isPlain = PLAIN.test(value) && trimOws(value) === value && !value.startsWith(PREFIX);
  return isPlain ? value : `${PREFIX}${Buffer.from(value).toString('base64')}${SUFFIX}`;
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
