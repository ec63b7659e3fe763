import type { IncomingMessage } from 'node:http';
import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import { requestHostname } from '../http/request-host.js';

/** Headers in which proxies name their client. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** True for a request that was sent on this machine: its Host is a name of this machine (against DNS rebinding), and no proxy forwarded it. */
export function isFromThisMachine(req: IncomingMessage): boolean {
  const { headers, socket } = req;
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    isLoopbackHost(requestHostname(req)) &&
    FORWARDED.every((name) => headers[name] === undefined)
  );
}
