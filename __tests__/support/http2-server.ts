import { once } from 'node:events';
import { type ClientHttp2Stream, connect as connectTo, createServer, type OutgoingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import connect from 'connect';
import { onTestFinished } from 'vitest';
import type { Middleware } from '../../src/index.js';
import { until } from './until.js';

export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer to a body that has no end. */
export interface FloodAnswer {
  readonly status: number;
  /** True if the server has closed the stream. */
  readonly closed: boolean;
  /** The bytes of the body that the server took. */
  readonly bytes: number;
  readonly body: string;
}

/** A server of HTTP/2 without TLS, and its client. */
export interface Http2Server {
  /** The value of `:authority` unless a request has another one. */
  readonly host: string;
  /** The warnings of Node, such as those of headers that HTTP/2 does not have. */
  readonly warnings: readonly Error[];
  send(headers: OutgoingHttpHeaders, body?: string): Promise<Http2Answer>;
  /** Sends a body without an end, until its stream closes or 20 MB are sent. */
  flood(headers: OutgoingHttpHeaders): Promise<FloodAnswer>;
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

  return { host, warnings, send, flood: (headers) => flood(client.request(headers)), open };
}

const FLOOD_BYTES = 20_000_000;

async function flood(stream: ClientHttp2Stream): Promise<FloodAnswer> {
  const chunk = Buffer.alloc(50_000, ' ');
  let [bytes, status, body] = [0, 0, ''];
  stream.on('response', (headers) => {
    status = Number(headers[':status']);
  });
  stream.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  const write = (): void => {
    if (stream.closed || bytes >= FLOOD_BYTES) return;
    stream.write(chunk, (error) => {
      if (error) return;
      bytes += chunk.length;
      setImmediate(write);
    });
  };
  write();
  await until(() => stream.closed || bytes >= FLOOD_BYTES);
  const { closed } = stream;
  stream.close();
  return { status, closed, bytes, body };
}
