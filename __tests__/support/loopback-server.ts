import { createServer, type RequestListener, type Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Listens on a free loopback port until the test ends. Resolves to the origin. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await listen(server);
  onTestFinished(() => stop(server));
  return originOf(server);
}

export async function listen(server: Server | HttpsServer, port = 0): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

export async function stop(server: Server | HttpsServer): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

export function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A URL that refuses connections. */
export async function unreachableUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}/`;
}

/**
 * Finds a free port for a server that must know its address before it listens. The port is outside the range from which the system
 * assigns ports for port 0.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    try {
      await listen(server, port);
      await stop(server);
      return port;
    } catch {
      // The port is in use. Try another one.
    }
  }
}
