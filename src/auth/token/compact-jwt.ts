import { AuthError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import { requireToken68 } from '../../oauth/credentials.js';

/** A JWT in JWS compact serialization (RFC 7515, section 7.1), taken apart; nothing of it is verified yet. */
export interface CompactJwt {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly alg: string;
  readonly kid: string | undefined;
}

/**
 * Takes a token apart that came with a request.
 *
 * @throws {AuthError} `token_too_long`, `malformed_header`, and those of {@link parseCompactJwt}.
 */
export function parseToken(token: string, maxTokenBytes: number): CompactJwt {
  requireToken68(token, maxTokenBytes);
  return parseCompactJwt(token);
}

/**
 * Takes a token apart, strictly: canonical base64url, valid UTF-8, no JSON member twice, no critical extension.
 * Whatever a lenient parser would read in another way is refused here.
 *
 * @throws {AuthError} `opaque_token`, `encrypted_token`, `malformed_token`, `critical_extension`.
 */
export function parseCompactJwt(token: string): CompactJwt {
  const segments = token.split('.');
  if (segments.length === 5) throw new AuthError('encrypted_token');
  if (segments.length !== 3) throw new AuthError('opaque_token');
  const [header, payload] = segments.map(decodeSegment) as [Buffer, Buffer, Buffer];
  const jwt = { token, header: parseObject(header), payload: parseObject(payload) };
  const { alg, kid } = jwt.header;
  // RFC 7515, section 4.1.11: an extension that is not understood refuses the token, and none is understood here.
  // `b64` (RFC 7797) changes what is signed; it must not slip through for want of `crit`.
  if ('crit' in jwt.header || 'b64' in jwt.header) throw new AuthError('critical_extension');
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) throw new AuthError('malformed_token');
  return { ...jwt, alg, kid };
}

function decodeSegment(segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url');
  // Buffer ignores strange characters and unused bits, so that many strings would name one token.
  if (bytes.toString('base64url') !== segment) throw new AuthError('malformed_token');
  return bytes;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseStrictJson(UTF8.decode(bytes));
  } catch {
    // The parser's message would quote the token.
    throw new AuthError('malformed_token');
  }
  if (!isRecord(value)) throw new AuthError('malformed_token');
  return value;
}
