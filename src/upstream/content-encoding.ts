import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { codingsIn } from '../http/codings.js';
import type { BoundedAnswer } from './bounded-fetch.js';

/** The `code` of the error for a body that cannot be decoded. */
export const UNREADABLE_ENCODING = 'UNREADABLE_ENCODING';

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const GUNZIP: Decode = promisify(gunzip);
const DECODERS: ReadonlyMap<string, Decode> = new Map([
  ['gzip', GUNZIP],
  ['x-gzip', GUNZIP],
  ['deflate', promisify(inflate) as Decode],
  ['br', promisify(brotliDecompress) as Decode],
]);

type Body = Pick<BoundedAnswer, 'bytes' | 'isWhole'>;

/**
 * Decompresses a body (RFC 9110, section 8.4). Its bytes are bounded before and after: 16 KiB can become 16 MiB.
 *
 * @param encoding The `Content-Encoding`. A body that is encoded twice is refused.
 * @throws {Error} With the code {@link UNREADABLE_ENCODING}.
 */
export async function decodeBody(body: Body, encoding: string | null, maxBytes: number): Promise<Body> {
  const codings = codingsIn(encoding ?? '');
  if (!body.isWhole || body.bytes.length === 0 || codings.length === 0) return body;
  const decode = codings.length > 1 ? undefined : DECODERS.get(codings.join());
  if (decode === undefined) throw unreadable('its Content-Encoding is none of gzip, deflate and br');
  try {
    return { bytes: await decode(body.bytes, { maxOutputLength: maxBytes }), isWhole: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      return { bytes: Buffer.alloc(0), isWhole: false };
    }
    throw unreadable('its body does not fit its Content-Encoding');
  }
}

function unreadable(message: string): Error {
  return Object.assign(new Error(message), { code: UNREADABLE_ENCODING });
}
