import type { AuthInfo } from '../../core/auth-info.js';

/** Bytes that V8 needs besides the characters of strings, measured and rounded up. */
const PRIMITIVE = 16;
const TEXT = 24;
const CONTAINER = 64;
const ITEM = 8;
const MEMBER = 48;
const TOKEN = 1_024;

/**
 * Estimates the bytes that a remembered token takes, rather too many than too few. Its length is not enough: ten kilobytes of
 * `[[],[], …]` take ten times as much once they are parsed.
 */
export function sizeInMemory({ token, header, payload }: AuthInfo): number {
  return TOKEN + token.length + sizeOf(header) + sizeOf(payload);
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return TEXT + Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null) return PRIMITIVE;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + ITEM + sizeOf(item), CONTAINER);
  return Object.entries(value).reduce(
    (sum, [name, member]) => sum + MEMBER + Buffer.byteLength(name) + sizeOf(member),
    CONTAINER,
  );
}
