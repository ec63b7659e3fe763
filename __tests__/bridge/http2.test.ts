import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpAuthorization, mcpCors, mcpHttpBackend, mcpScopes, mcpStdioBackend } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { type Http2Server, serveHttp2 } from '../support/http2-server.js';
import { NODE, SCRIPTED, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const RESOURCE = 'https://mcp.example/mcp';
const issuer = createTestIssuer();
const authorization = `Bearer ${issuer.tokenFor(RESOURCE, { scopes: ['call'] })}`;
const POST = { ':method': 'POST', 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const request = (id: number, method: string, params: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const OPEN = request(0, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
});

const stdioBackend = () => {
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED] });
  onTestFinished(() => backend.close());
  return backend;
};

test.each<[string, Record<string, string>, number]>([
  ['its own address', {}, 200],
  ['localhost', { ':authority': 'localhost' }, 200],
  ['another host', { ':authority': 'evil.example' }, 403],
  ['an address that differs from Host', { ':authority': '127.0.0.1', host: 'localhost' }, 403],
])('a backend on loopback answers requests over HTTP/2 with :authority of %s', async (_what, names, expected) => {
  const { send } = await serveHttp2(['/mcp', stdioBackend()]);
  const { status, body } = await send({ ...POST, ':path': '/mcp', ...names }, OPEN);
  expect([status, JSON.parse(body).error?.data.reason]).toEqual([
    expected,
    expected === 200 ? undefined : 'foreign_host',
  ]);
});

async function remoteBackend() {
  const { url } = await serve();
  const backend = mcpHttpBackend({ url });
  onTestFinished(() => backend.close());
  return backend;
}

const readEvents = async (stream: ClientHttp2Stream, part: string) => {
  let events = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    events += chunk;
  });
  await until(() => events.includes(part));
};

async function openSession({ send }: Http2Server) {
  const { status, headers } = await send({ ...POST, ':path': '/mcp', authorization }, OPEN);
  expect(status).toBe(200);
  return { ':path': '/mcp', authorization, 'mcp-session-id': headers['mcp-session-id'] as string };
}

test.each([
  ['mcpStdioBackend()', stdioBackend],
  ['mcpHttpBackend()', remoteBackend],
])(
  '%s and the middlewares in front serve a session over HTTP/2, with no header that it does not have',
  async (_name, create) => {
    const { resourceMetadata, ...policy } = issuer.policy({ resource: RESOURCE });
    const backend = await create();
    const server = await serveHttp2(
      mcpCors({ allowedOrigins: ['https://app.example'] }),
      mcpAuth({ ...policy, audiences: [RESOURCE] }),
      mcpScopes({ 'tools/call': { '*': ['call'] } }, { hide: true }),
      mcpAuthorization({ rules: ['request.host == "127.0.0.1" && request.uri.startsWith("http://127.0.0.1:")'] }),
      ['/mcp', backend],
    );
    const { send } = server;
    const session = await openSession(server);
    const inSession = { ...POST, ...session, 'mcp-protocol-version': '2025-11-25' };
    const post = (body: string) => send(inSession, body);
    expect((await post('{"jsonrpc":"2.0","method":"notifications/initialized"}')).status).toBe(202);
    const listed = await post(request(1, 'tools/list'));
    expect([listed.status, JSON.parse(listed.body).result]).toEqual([
      200,
      expect.objectContaining({ tools: expect.any(Array) }),
    ]);

    const stream = await server.open({ ...session, accept: 'text/event-stream' });
    await readEvents(stream, 'id: ');
    stream.close();
    await once(stream, 'close');

    expect((await post('{')).status).toBe(400);
    expect((await post(`[${'1'.repeat(5_000_000)}]`)).status).toBe(413);
    expect((await send({ ...session, ':method': 'DELETE' })).status).toBe(200);
    await until(() => backend.stats().sessions === 0);
    expect(server.warnings).toEqual([]);
  },
);
