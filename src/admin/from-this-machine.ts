import type { IncomingMessage } from 'node:http';
import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';

/** Headers with which proxies say for whom they ask. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** True for a connection from this machine, with a name of this machine as its Host, against DNS rebinding, and without the headers of a proxy. */
export function isFromThisMachine(req: IncomingMessage): boolean {
  const { headers, socket } = req;
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    namesThisMachine(req) &&
    FORWARDED.every((name) => headers[name] === undefined)
  );
}

/** True if Host is a name of this machine. */
export function namesThisMachine({ headers }: IncomingMessage): boolean {
  return isLoopbackHost(lowerAscii(headers.host ?? '').replace(/:\d{1,5}$/, ''));
}
