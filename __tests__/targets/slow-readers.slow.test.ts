import { createServer, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { createDisconnectionLog, SlowReaders } from '../../src/targets/slow-readers.js';
import { SERVER } from '../support/certificates.js';
import { serveHttp2 } from '../support/http2-server.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { statelessCall, statelessHeaders } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_000_000;

/** A source that is paused for answers of `bytes` bytes, whose clients may be quiet for `maxQuietMs`. */
function createSource(bytes: number, maxQuietMs: number) {
  const { lines, logger } = createRecordingLogger();
  const source = { isPaused: false };
  const readers = new SlowReaders(
    {
      pause: () => {
        source.isPaused = true;
      },
      resume: () => {
        source.isPaused = false;
      },
    },
    createDisconnectionLog('backend()', logger),
  );
  const answer = (_req: unknown, res: ServerResponse): void => {
    res.end(Buffer.alloc(bytes, 'x'));
    readers.pauseFor(res, maxQuietMs);
  };
  return { source, lines, answer };
}

type Transport = 'TCP' | 'TLS';

async function serveSource(bytes: number, maxQuietMs: number, transport: Transport) {
  const { answer, ...others } = createSource(bytes, maxQuietMs);
  const server = transport === 'TLS' ? createHttpsServer(SERVER, answer) : createServer(answer);
  await listen(server);
  onTestFinished(() => stop(server));
  return { ...others, url: originOf(server) };
}

function connectTo(url: string, transport: Transport): Socket {
  const port = Number(new URL(url).port);
  return transport === 'TCP'
    ? connect(port, '127.0.0.1')
    : connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
}

interface Reading {
  readonly bytesPerSecond: number;
  /** The bytes after which the client stops; none if left out. */
  readonly most?: number;
  readonly transport?: Transport;
}

/** Sends a request, and reads the answer slowly. */
function readSlowly(url: string, text: string, reading: Reading) {
  const { bytesPerSecond, most = Number.POSITIVE_INFINITY, transport = 'TCP' } = reading;
  const client = { read: 0, isClosed: false };
  const socket = connectTo(url, transport).pause();
  socket.on('error', () => undefined).on('close', () => Object.assign(client, { isClosed: true }));
  socket.write(text);
  const timer = setInterval(() => {
    for (let left = Math.min(bytesPerSecond / 20, most - client.read); left > 0; ) {
      const chunk: Buffer | null = socket.read(Math.min(left, socket.readableLength)) ?? socket.read();
      if (chunk === null) return;
      left -= chunk.length;
      client.read += chunk.length;
    }
  }, 50);
  onTestFinished(() => {
    clearInterval(timer);
    socket.destroy();
  });
  return client;
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

const TRANSPORTS = ['TCP', 'TLS'] as const;

test.each(TRANSPORTS)(
  'a client that reads steadily (%s) gets a long answer, however long that takes',
  async (transport) => {
    const { url, source, lines } = await serveSource(24 * MEGABYTE, 500, transport);
    const client = readSlowly(url, GET, { bytesPerSecond: 8 * MEGABYTE, transport });
    await until(() => source.isPaused);
    await until(() => client.read > 24 * MEGABYTE || client.isClosed);
    expect(client.read).toBeGreaterThan(24 * MEGABYTE);
    await until(() => !source.isPaused);
    expect(lines).toEqual([]);
  },
);

test.each(TRANSPORTS)('a client that stops reading (%s) is disconnected, and logged', async (transport) => {
  const { url, source, lines } = await serveSource(24 * MEGABYTE, 500, transport);
  const reading = { bytesPerSecond: 8 * MEGABYTE, most: 4 * MEGABYTE, transport };
  const clients = [1, 2].map(() => readSlowly(url, GET, reading));
  await until(() => source.isPaused);
  await until(() => clients.every(({ read }) => read >= 4 * MEGABYTE));
  await until(() => !source.isPaused);
  expect(lines).toEqual([
    'warn backend(): a client was disconnected before it had its whole answer: it read nothing for 0.5 s',
  ]);
});

test('a client that reads nothing is disconnected soon after the time that it has', async () => {
  const { source, lines, answer } = createSource(400_000, 2_000);
  const { open } = await serveHttp2(answer as never);
  const stream = await open({ ':path': '/' });
  stream.pause().on('error', () => undefined);
  await until(() => source.isPaused);
  const since = performance.now();
  await until(() => !source.isPaused);
  expect(performance.now() - since).toBeLessThan(3_000);
  expect(lines).toHaveLength(1);
});

test('a client that reads byte by byte is disconnected, and logged', async () => {
  const { source, lines, answer } = createSource(400_000, 3_000);
  const { open } = await serveHttp2(answer as never);
  // HTTP/2 has small windows, so the server sees each step.
  const stream = await open({ ':path': '/' });
  stream.pause().on('error', () => undefined);
  const timer = setInterval(() => stream.read(1_500), 50);
  onTestFinished(() => clearInterval(timer));
  await until(() => source.isPaused);
  await until(() => !source.isPaused);
  expect(lines).toEqual([
    'warn backend(): a client was disconnected before it had its whole answer: it read less than 64 KiB a second',
  ]);
});

test('without a session, a client on a slow link gets a long answer of a program', async () => {
  const { url, stop } = await serve({ env: { STATELESS: '1' } });
  onTestFinished(stop);
  const message = statelessCall(1, 'big', { bytes: 14 * MEGABYTE });
  const body = JSON.stringify(message);
  const headers = {
    host: new URL(url).host,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'content-length': `${body.length}`,
    ...statelessHeaders(message),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const client = readSlowly(url, `POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`, {
    bytesPerSecond: 0.8 * MEGABYTE,
  });
  await until(() => client.read > 14 * MEGABYTE || client.isClosed, 30_000);
  expect(client.read).toBeGreaterThan(14 * MEGABYTE);
}, 40_000);
