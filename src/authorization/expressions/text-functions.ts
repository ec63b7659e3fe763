import type { Register } from './cel-node.js';
import { charge, ExpressionFault } from './evaluation.js';

/** Registers agentgateway's functions of strings that the library does not have. */
export function registerTextFunctions(register: Register): void {
  register('string.stripPrefix(string): string', (text: string, prefix: string) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  );
  register('string.stripSuffix(string): string', (text: string, suffix: string) =>
    text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text,
  );
  register('string.replace(string, string): string', replace);
  register('string.replace(string, string, int): string', replace);
  register('base64Decode(string): bytes', decodeBase64);
  register('base64Decode(bytes): bytes', (bytes: Uint8Array) => decodeBase64(Buffer.from(bytes).toString('latin1')));
}

/** An empty string is found before each code point, and at the end. A negative number has no effect. */
function replace(text: string, part: string, replacement: string, most = -1n): string {
  const pieces = part === '' ? ['', ...text, ''] : text.split(part);
  const count = most < 0n || most > pieces.length ? pieces.length - 1 : Math.min(Number(most), pieces.length - 1);
  // The result may be as long as the product of two strings.
  charge(Math.floor((text.length + count * replacement.length) / 16));
  return [pieces.slice(0, count + 1).join(replacement), ...pieces.slice(count + 1)].join(part);
}

/** The alphabet of RFC 4648, section 4. Bits after the last byte must be 0, and the `=` at the end may be missing. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]={0,2}|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=?)?$/;

function decodeBase64(text: string): Uint8Array {
  if (!BASE64.test(text)) throw new ExpressionFault('malformed_text');
  return new Uint8Array(Buffer.from(text, 'base64'));
}
