import { AuthError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import { requireToken68 } from '../../oauth/credentials.js';

/** A parsed JWT in JWS compact serialization (RFC 7515, section 7.1). Nothing in it is verified yet. */
export interface CompactJwt {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly alg: string;
  readonly kid: string | undefined;
}

/**
 * Parses a token that came with a request, after checking its length and its characters.
 *
 * @throws {AuthError} `token_too_long`, `malformed_header`, and the codes of {@link parseCompactJwt}.
 */
export function parseToken(token: string, maxTokenBytes: number): CompactJwt {
  requireToken68(token, maxTokenBytes);
  return parseCompactJwt(token);
}

/**
 * Parses a token strictly: canonical base64url, valid UTF-8, no JSON member twice, no critical extension. Refuses everything
 * that a lenient parser could read in another way.
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
  // RFC 7515, section 4.1.11: a token with an unsupported critical extension must be refused, and none is supported here.
  // `b64` (RFC 7797) changes what is signed, so it is refused without `crit` too.
  if ('crit' in jwt.header || 'b64' in jwt.header) throw new AuthError('critical_extension');
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) throw new AuthError('malformed_token');
  return { ...jwt, alg, kid };
}

/** True if {@link parseCompactJwt} parses the string. */
export function isCompactJwt(text: string): boolean {
  try {
    parseCompactJwt(text);
    return true;
  } catch {
    // The reason does not matter: the string is then a credential of another form.
    return false;
  }
}

function decodeSegment(segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url');
  // Buffer ignores invalid characters and unused bits, so that many strings would decode to the same token.
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
