import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { AdminError } from '../../admin/admin-error.js';
import { atMost } from '../../core/at-most.js';
import { networkOf } from '../../limits/caller-address.js';

/** Wrong passwords from one network in a minute: an attacker may have many addresses of IPv6. Beyond that, the right password is refused too. */
const MAX_FAILURES = 10;
const MINUTE_MS = 60_000;
/** Addresses whose failures are remembered. */
const MAX_ADDRESSES = 10_000;

const CHALLENGE = 'Basic realm="express-mcp-auth", charset="UTF-8"';

/** A request without the password. Browsers ask their user for it. */
export class PasswordError extends AdminError {
  readonly challenge = CHALLENGE;

  constructor() {
    super(401, 'password_required', 'Log in with the password of the admin page; the user name does not matter');
  }
}

/** Creates the check of a request's password (Basic, RFC 7617). */
export function createPasswordCheck(password: string): (req: IncomingMessage) => void {
  const expected = digestOf(password);
  const failures = new LRUCache<string, number>({ ...atMost(MAX_ADDRESSES), ttl: MINUTE_MS, noUpdateTTL: true });
  return ({ headers, socket }) => {
    const given = passwordIn(headers.authorization);
    if (given === undefined) throw new PasswordError();
    const address = networkOf(socket.remoteAddress ?? '');
    const count = failures.get(address) ?? 0;
    if (count >= MAX_FAILURES)
      throw new AdminError(429, 'too_many_failures', 'Too many wrong passwords came from this address: wait a minute');
    if (timingSafeEqual(digestOf(given), expected)) return;
    failures.set(address, count + 1);
    throw new PasswordError();
  };
}

/** Digests have one length, as a comparison in constant time needs. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function passwordIn(header: string | undefined): string | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}
