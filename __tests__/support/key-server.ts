import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { listen, originOf, stop } from './loopback-server.js';

/** A real server that serves a key set, counts its requests and can be made to misbehave. */
export interface KeyServer {
  readonly url: string;
  readonly requests: number;
  /** Sets the answer to later requests: keys, or any behaviour. */
  answer(answer: readonly unknown[] | ((res: ServerResponse) => void)): void;
  /** Lets the next request wait until `release()` sends these keys. */
  pause(keys: readonly unknown[]): PausedRequest;
  headers: Record<string, string>;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}

/** A request that waits for its answer. */
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
    pause(keys) {
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
