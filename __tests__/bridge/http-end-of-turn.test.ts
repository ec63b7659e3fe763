import { once } from 'node:events';
import { createServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpHttpBackend } from '../../src/index.js';
import { SERVER } from '../support/certificates.js';
import { serveRemote } from '../support/http-backend.js';
import { serveHttp2 } from '../support/http2-server.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { call } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

const EVENT = 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n';
const BODY = JSON.stringify(call(1, 'x'));
const ACCEPT = 'application/json, text/event-stream';
const STREAM = { 'content-type': 'text/event-stream' };

/** Sends one POST and returns what came back, a text for each piece in which it arrived. */
async function piecesOf(socket: Socket, host: string, count: number): Promise<string[]> {
  const head = `POST /mcp HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}`;
  socket.setEncoding('latin1');
  onTestFinished(() => void socket.destroy());
  socket.write(`${head}\r\naccept: ${ACCEPT}\r\n\r\n${BODY}`);
  const pieces: string[] = [];
  while (pieces.length < count) pieces.push(String((await once(socket, 'data'))[0]));
  return pieces;
}

describe('what a remote server sends at once', () => {
  test('goes to the client in one piece: the head, the events and the end of a stream', async () => {
    const raw = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${2 * EVENT.length}\r\n\r\n${EVENT}${EVENT}`;
    const target = await startRecordingTarget((_, res) => void res.socket?.write(raw));
    const backend = mcpHttpBackend({ url: target.url });
    onTestFinished(() => backend.close());
    const server = createServer(SERVER, (req, res) => backend(req, res, (error) => res.destroy(error as Error)));
    await listen(server);
    onTestFinished(() => stop(server));
    // Over TLS, each piece is a record, which no later layer joins to another.
    const url = new URL(originOf(server as never));
    const [first = ''] = await piecesOf(connectTls({ port: Number(url.port), rejectUnauthorized: false }), url.host, 1);
    expect(first.split(EVENT)).toHaveLength(3);
  });

  test('does not wait for what it sends later: the head of a stream, and each event', async () => {
    let release = (): void => undefined;
    const target = await startRecordingTarget((_, res) => {
      res.writeHead(200, STREAM).flushHeaders();
      release = () => void res.write(EVENT);
    });
    const { url } = await serveRemote(target.url, {}, { policy: null });
    const { port, host } = new URL(url);
    const pieces = piecesOf(connect(Number(port), '127.0.0.1'), host, 2);
    await until(() => target.arrived.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    release();
    expect(await pieces).toEqual([expect.stringMatching(/\r\n\r\n$/), expect.stringContaining(EVENT)]);
  });
});

test('an answer of 8 MB in chunks, which no buffer holds, arrives whole', async () => {
  const long = 'x'.repeat(8_000_000);
  const target = await startRecordingTarget((_, res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    for (let at = 0; at < long.length; at += 4_000) res.write(long.slice(at, at + 4_000));
    res.end();
  });
  const { url } = await serveRemote(target.url, {}, { policy: null });
  const headers = { 'content-type': 'application/json', accept: ACCEPT };
  const answer = await fetch(url, { method: 'POST', headers, body: BODY });
  expect(await answer.text()).toHaveLength(long.length);
});

describe('over HTTP/2', () => {
  test.each<[string, Record<string, string>]>([
    ['an answer', { 'content-type': 'application/json' }],
    ['an event stream', STREAM],
  ])('%s arrives', async (_name, headers) => {
    const target = await startRecordingTarget((_, res) => void res.writeHead(200, headers).end(EVENT));
    const backend = mcpHttpBackend({ url: target.url });
    onTestFinished(() => backend.close());
    const { send } = await serveHttp2(backend);
    const head = { ':path': '/mcp', ':method': 'POST', 'content-type': 'application/json', accept: ACCEPT };
    expect(await send(head, BODY)).toMatchObject({ status: 200, body: EVENT });
  });
});
