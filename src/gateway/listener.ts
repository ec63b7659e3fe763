import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { BindConfig } from './config/gateway-config.js';
import { StartupError } from './startup-error.js';

/** Answers still being sent get this time once all backends have ended. */
const LINGER_MS = 1_000;

/** Opens a port and resolves to its address, such as `127.0.0.1:3000` or `[::1]:3000`. */
export async function openListener(server: Server, host: string, bind: BindConfig): Promise<string> {
  try {
    await once(server.listen(bind.port, host), 'listening');
  } catch (error) {
    throw new StartupError(listenProblem(error as NodeJS.ErrnoException, host, bind), { cause: error });
  }
  const { port } = server.address() as AddressInfo;
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function listenProblem(error: NodeJS.ErrnoException, host: string, { at, port }: BindConfig): string {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use: stop the program that uses it, or change ${at}.port`,
    EACCES: `port ${port} on ${host} may not be opened by this user: change ${at}.port to one above 1023`,
    EADDRNOTAVAIL: `--host ${host} is not an address of this machine`,
    ENOTFOUND: `--host ${host} is not an address of this machine`,
  };
  return reasons[error.code ?? ''] ?? `port ${port} on ${host} cannot be opened (${error.code})`;
}

/** Accepts no more connections. `finish()` closes idle ones, a second later all, and resolves when they are closed. */
export function closeListener(server: Server): { finish(): Promise<void> } {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  return {
    async finish() {
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), LINGER_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}
