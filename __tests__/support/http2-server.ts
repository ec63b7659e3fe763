import { once } from 'node:events';
import { type ClientHttp2Stream, connect as connectTo, createServer, type OutgoingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import connect from 'connect';
import { onTestFinished } from 'vitest';
import type { Middleware } from '../../src/index.js';

export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server of HTTP/2 without TLS, and its client. */
export interface Http2Server {
  /** The value of `:authority` unless a request has another one. */
  readonly host: string;
  /** The warnings of Node, such as those of headers that HTTP/2 does not have. */
  readonly warnings: readonly Error[];
  send(headers: OutgoingHttpHeaders, body?: string): Promise<Http2Answer>;
  /** Resolves when the head of the answer is there. */
  open(headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream>;
}

/** Serves middlewares in connect, until the test ends. */
export async function serveHttp2(
  ...middlewares: readonly (Middleware | readonly [string, Middleware])[]
): Promise<Http2Server> {
  const app = connect();
  for (const each of middlewares) {
    const [path, middleware] = typeof each === 'function' ? ['/', each] : each;
    app.use(path, middleware as never);
  }
  const server = createServer(app as never);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = connectTo(`http://${host}`);
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(async () => {
    process.off('warning', note);
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  async function send(headers: OutgoingHttpHeaders, body?: string): Promise<Http2Answer> {
    const stream = client.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const [{ ':status': status, ...others }] = await once(stream, 'response');
    return { status, headers: others, body: await text(stream) };
  }

  async function open(headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    const stream = client.request(headers);
    await once(stream, 'response');
    return stream;
  }

  return { host, warnings, send, open };
}
