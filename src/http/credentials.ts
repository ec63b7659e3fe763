import type { IncomingMessage } from 'node:http';
import { AuthError } from '../errors.js';
import { requestTarget } from './middleware.js';

/** How a token may be presented: RFC 6750 and RFC 9449. */
export type Scheme = 'bearer' | 'dpop';

/** A token and the scheme it came with. */
export interface Credentials {
  readonly scheme: Scheme;
  readonly token: string;
}

const SCHEME = /^(bearer|dpop)(?: |$)/i;
/** RFC 6750, section 2.1, and RFC 9449, section 7.1: `token68`. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const QUERY_TOKEN = /[?&]access_token=/;

/**
 * Reads the access token from the `Authorization` header, the only place it is taken from (RFC 6750, section 2.1).
 *
 * @throws {AuthError} `missing_token` where there is none of an accepted scheme, `malformed_header`, `several_tokens`,
 * `token_too_long`.
 */
export function readCredentials(req: IncomingMessage, schemes: readonly Scheme[], maxTokenBytes: number): Credentials {
  const header = req.headers.authorization;
  if (header === undefined) throw new AuthError('missing_token');
  requireOneHeader(req);
  const written = SCHEME.exec(header)?.[1];
  const scheme = written?.toLowerCase() as Scheme | undefined;
  if (written === undefined || scheme === undefined || !schemes.includes(scheme)) throw new AuthError('missing_token');
  const token = header.slice(written.length + 1).trim();
  if (token.length > maxTokenBytes) throw new AuthError('token_too_long', { bytes: token.length });
  if (!TOKEN.test(token)) throw new AuthError('malformed_header');
  // RFC 6750, section 2: one request, one method. A proxy in front may have judged the other one.
  if (QUERY_TOKEN.test(requestTarget(req))) throw new AuthError('several_tokens');
  return { scheme, token };
}

/** Node keeps the first of two `Authorization` headers in `headers` and says nothing; another hop may keep the last. */
function requireOneHeader(req: IncomingMessage): void {
  const raw = req.rawHeaders;
  let seen = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization') seen += 1;
  }
  if (seen > 1) throw new AuthError('several_tokens');
}

/** Takes the credentials off a request that goes on as anonymous, so that no backend mistakes them for verified ones. */
export function removeCredentials(req: IncomingMessage): void {
  for (const name of ['authorization', 'dpop']) {
    if (req.headers[name] === undefined) continue;
    delete req.headers[name];
    const raw = req.rawHeaders;
    for (let i = raw.length - 2; i >= 0; i -= 2) {
      if ((raw[i] as string).toLowerCase() === name) raw.splice(i, 2);
    }
  }
}
