import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import express from 'express';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { mcpAuth, mcpScopes, mcpStdioBackend } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { initialize, post } from '../support/mcp-requests.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const MIB = 1_048_576;
const CONNECTIONS = 100;
const JUST_SHORT = Buffer.alloc(4 * MIB - 1, ' ');

afterEach(() => void vi.useRealTimers());

/** Serves in `optional` mode, so that anonymous callers pass. At `/mcp` the bridge reads bodies first, at `/scopes` `mcpScopes()` does. */
async function serveOptional() {
  const issuer = createTestIssuer();
  const { lines, logger } = createRecordingLogger();
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], logger });
  const app = express().use(mcpAuth({ ...issuer.policy({ resource: 'https://mcp.example/mcp' }), mode: 'optional' }));
  app.use('/mcp', backend).use('/scopes', mcpScopes({ 'tools/call': { mirrored: ['a'] } }, { logger }), backend);
  const server = createServer(app);
  await listen(server);
  onTestFinished(async () => {
    await backend.close();
    await stop(server);
  });
  return { server, origin: originOf(server), lines, bearer: { authorization: `Bearer ${issuer.token()}` } };
}

/** Sends the beginning of a body of 4 MiB; `text` collects the answer. */
function send(origin: string, path: string, body: Buffer): { readonly socket: Socket; readonly text: string } {
  const { hostname, port, host } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const sent = { socket, text: '' };
  socket
    .on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      sent.text += chunk.toString('latin1');
    });
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: application/json',
    `Content-Length: ${4 * MIB}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(body);
  return sent;
}

test.each(['/mcp', '/scopes'])(
  '100 bodies that lack their last byte keep 16 MiB in memory at %s, and no other request waits',
  async (path) => {
    const { origin, lines, bearer } = await serveOptional();
    const before = await memoryInUse();
    const sent = Array.from({ length: CONNECTIONS }, () => send(origin, path, JUST_SHORT));
    const refused = () => sent.filter(({ text }) => text.startsWith('HTTP/1.1 503 '));
    await until(() => refused().length >= CONNECTIONS - 4, 30_000);
    expect(refused()).toHaveLength(CONNECTIONS - 4);
    expect(refused()[0]?.text).toMatch(/\r\nretry-after: 10\r\n[\s\S]*"reason":"too_many_bodies"/i);
    expect((await memoryInUse()) - before).toBeLessThan(40 * MIB);
    for (const headers of [bearer, {}])
      expect((await post(`${origin}${path}`, initialize(), headers)).status).toBe(200);
    expect(lines.filter((line) => line.includes('503'))).toHaveLength(1);
    for (const { socket } of sent) socket.destroy();
  },
);

test.each(['/mcp', '/scopes'])('a body that does not arrive within 30 seconds is answered 408 at %s', async (path) => {
  const { origin, server } = await serveOptional();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const [begun, silent] = [send(origin, path, Buffer.from('{')), send(origin, path, Buffer.alloc(0))];
  const connections = [begun, silent].map(({ socket }) => once(socket, 'close'));
  for (const _connection of connections) await once(server, 'request');
  vi.advanceTimersByTime(29_999);
  expect([begun.text, silent.text]).toEqual(['', '']);
  vi.advanceTimersByTime(1);
  await Promise.all(connections);
  for (const { text } of [begun, silent]) expect(text).toMatch(/^HTTP\/1.1 408 [\s\S]*"reason":"body_too_slow"/);
});
