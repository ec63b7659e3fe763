import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createDisconnectionLog, SlowReaders } from '../../src/targets/slow-readers.js';
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

async function serveSource(bytes: number, maxQuietMs: number) {
  const { answer, ...others } = createSource(bytes, maxQuietMs);
  const server = createServer(answer);
  await listen(server);
  onTestFinished(() => stop(server));
  return { ...others, url: originOf(server) };
}

/** Sends a request, and reads the answer as fast as `bytesPerSecond` says, at most `most` bytes. */
function readSlowly(url: string, text: string, bytesPerSecond: number, most = Number.POSITIVE_INFINITY) {
  const client = { read: 0, isClosed: false };
  const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
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

test('a client that reads steadily gets a long answer, however long that takes', async () => {
  const { url, source, lines } = await serveSource(24 * MEGABYTE, 500);
  const client = readSlowly(url, GET, 8 * MEGABYTE);
  await until(() => source.isPaused);
  await until(() => client.read > 24 * MEGABYTE || client.isClosed);
  expect(client.read).toBeGreaterThan(24 * MEGABYTE);
  await until(() => !source.isPaused);
  expect(lines).toEqual([]);
});

test('a client that stops reading is disconnected, and logged', async () => {
  const { url, source, lines } = await serveSource(24 * MEGABYTE, 500);
  const clients = [1, 2].map(() => readSlowly(url, GET, 8 * MEGABYTE, 4 * MEGABYTE));
  await until(() => source.isPaused);
  await until(() => clients.every(({ read }) => read === 4 * MEGABYTE));
  await until(() => !source.isPaused);
  expect(lines).toEqual([
    'warn backend(): a client was disconnected before it had its whole answer: it read nothing for 0.5 s',
  ]);
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
  const client = readSlowly(url, `POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`, 0.8 * MEGABYTE);
  await until(() => client.read > 14 * MEGABYTE || client.isClosed, 30_000);
  expect(client.read).toBeGreaterThan(14 * MEGABYTE);
}, 40_000);
