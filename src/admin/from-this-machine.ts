import type { IncomingMessage } from 'node:http';
import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { requestHost } from '../http/request-host.js';

/** Headers in which proxies name their client. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** True for a request that was sent on this machine: its Host is a name of this machine (against DNS rebinding), and no proxy forwarded it. */
export function isFromThisMachine(req: IncomingMessage): boolean {
  const { headers, socket } = req;
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    namesThisMachine(req) &&
    FORWARDED.every((name) => headers[name] === undefined)
  );
}

/** True if Host is a name of this machine. */
function namesThisMachine(req: IncomingMessage): boolean {
  return isLoopbackHost(lowerAscii(requestHost(req)).replace(/:\d{1,5}$/, ''));
}
