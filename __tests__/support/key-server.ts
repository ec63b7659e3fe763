import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { listen, originOf, stop } from './loopback-server.js';

/** A real server of a key set, that counts its requests and can be made to misbehave. */
export interface KeyServer {
  readonly url: string;
  readonly requests: number;
  /** What it answers from now on: keys, or any behaviour. */
  answer(answer: readonly unknown[] | ((res: ServerResponse) => void)): void;
  /** Keeps the next request waiting for these keys. */
  hold(keys: readonly unknown[]): PausedRequest;
  headers: Record<string, string>;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}

/** A request that is answered when the test says so. */
export interface PausedRequest {
  readonly asked: Promise<void>;
  release(): void;
}

export async function startKeyServer(keys: readonly unknown[]): Promise<KeyServer> {
  let requests = 0;
  let respond: (res: ServerResponse) => void;
  const server = createServer((_req, res) => {
    requests += 1;
    respond(res);
  });
  await listen(server);
  onTestFinished(() => stop(server));
  const { port } = server.address() as AddressInfo;
  const keyServer: KeyServer = {
    url: `${originOf(server)}/jwks.json`,
    get requests() {
      return requests;
    },
    headers: {},
    answer(answer) {
      respond =
        typeof answer === 'function'
          ? answer
          : (res) => {
              res.writeHead(200, { 'content-type': 'application/json', ...keyServer.headers });
              res.end(JSON.stringify({ keys: answer }));
            };
    },
    hold(keys) {
      let release = (): void => undefined;
      const asked = new Promise<void>((resolve) => {
        keyServer.answer((res) => {
          release = () => res.end(JSON.stringify({ keys }));
          resolve();
        });
      });
      return { asked, release: () => release() };
    },
    goDown: () => stop(server),
    comeBack: () => listen(server, port),
  };
  keyServer.answer(keys);
  return keyServer;
}
