import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer as ServerV2 } from '@modelcontextprotocol/server';
import express, { type RequestHandler } from 'express';
import request from 'supertest';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type AuthInfo, getAuth, getUpstreamToken, type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { makeKey } from '../support/api-keys.js';
import { userOfV1, userOfV2 } from '../support/sdk-users.js';
import { createUpstreamApp } from '../support/upstream-app.js';
import { createIssuer, startUpstreamServer, USER_TOKENS } from '../support/user-tokens.js';

const INFO = { name: 'repositories', version: '1' };
type Caller = Parameters<typeof getUpstreamToken>[0];

async function repositories(api: string, caller: Caller) {
  const response = await fetch(api, { headers: { authorization: `Bearer ${await getUpstreamToken(caller)}` } });
  return { content: [{ type: 'text' as const, text: await response.text() }] };
}

/** Serves one tool, as the documentation of each SDK does it. */
const SERVERS: readonly (readonly [name: string, create: (api: string) => RequestHandler])[] = [
  [
    'SDK v1',
    (api) => async (req, res) => {
      const server = new ServerV1(INFO);
      server.registerTool('list_repositories', {}, ({ authInfo }) => repositories(api, authInfo));
      const transport = new StreamableHTTPServerTransport({});
      res.on('close', () => void transport.close());
      await server.connect(transport as never);
      await transport.handleRequest(req as never, res);
    },
  ],
  [
    'SDK v2, with sessions',
    (api) => {
      const transports = new Map<string, NodeStreamableHTTPServerTransport>();
      return async (req, res) => {
        let transport = transports.get(String(req.headers['mcp-session-id']));
        if (transport === undefined) {
          const onsessioninitialized = (id: string) => void transports.set(id, fresh);
          const fresh = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized });
          await serverV2(api).connect(fresh);
          transport = fresh;
        }
        await transport.handleRequest(req as never, res);
      };
    },
  ],
  [
    'SDK v2, without sessions',
    (api) => {
      const handle = toNodeHandler(createMcpHandler(() => serverV2(api)));
      return (req, res) => void handle(req as never, res as never);
    },
  ],
];

function serverV2(api: string): ServerV2 {
  const server = new ServerV2(INFO);
  server.registerTool('list_repositories', {}, ({ http }) => repositories(api, http?.authInfo));
  return server;
}

describe.each(USER_TOKENS)('%s', (_name, start) => {
  test.each(SERVERS)('a tool of %s uses that of its caller, with two users at once', async (_server, create) => {
    const tokens = await start();
    const { url, app, lines } = await startUpstreamServer(tokens.policy);
    app.all('/mcp', create(tokens.api));
    const [ada, bob] = [tokens.issue('ada'), tokens.issue('bob')];
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    const users = await Promise.all([userOfV1(url, 'ada', as(ada)), userOfV2(url, 'bob', as(bob))]);
    const calls = Array.from({ length: 6 }, (_, i) => users[i % 2]?.call('list_repositories', {}));
    const answers = (await Promise.all(calls)).map((text) => JSON.parse(text ?? ''));
    const expected = [[{ full_name: 'ada/notes' }], [{ full_name: 'bob/notes' }]];
    expect(answers).toEqual([...expected, ...expected, ...expected]);
    await Promise.all(users.map((user) => user.close()));
    const log = lines.join('\n');
    expect(tokens.all()).toHaveLength(2);
    for (const secret of [ada, bob, ...tokens.all()]) expect(log).not.toContain(secret);
  });

  test('is in nothing that the application can see of its caller', async () => {
    const tokens = await start();
    const { url, app } = await startUpstreamServer(tokens.policy);
    app.all('/mcp', async (req, res) => {
      await getUpstreamToken(req);
      res.send(inspectDeeply([getAuth(req), req.auth, req.headers, req.rawHeaders]));
    });
    const seen = await (await fetch(url, { headers: { authorization: `Bearer ${tokens.issue('ada')}` } })).text();
    expect(seen).toContain("subject: 'ada'");
    for (const secret of tokens.all()) expect(seen).not.toContain(secret);
  });

  test('the option extra does not take it away', async () => {
    const tokens = await start();
    const { ask } = createUpstreamApp({ ...tokens.policy, extra: () => ({ plan: 'free' }) });
    expect((await ask(tokens.issue('ada'))).body).toMatchObject({ token: tokens.all()[0], byAuth: true });
  });

  test('the token cache keeps those of two users apart', async () => {
    const tokens = await start();
    const { ask } = createUpstreamApp({ ...tokens.policy, tokenCache: { maxEntries: 1 } });
    const [ada, bob] = [tokens.issue('ada'), tokens.issue('bob')];
    const seen = [];
    for (const token of [ada, bob, ada, bob]) seen.push((await ask(token)).body.token);
    expect(seen).toEqual([seen[0], seen[1], seen[0], seen[1]]);
    expect(seen[0]).not.toBe(seen[1]);
  });

  test('a tool that still runs after its caller was revoked gets none', async () => {
    const tokens = await start();
    const { policy } = tokens;
    const auth = mcpAuth(policy as unknown as McpAuthOptions);
    const app = express().use(auth, async (req, res) => {
      auth.revoke({ subject: 'ada' });
      const failed = await getUpstreamToken(req).catch((error: unknown) => error);
      res.json({ code: (failed as { code?: unknown }).code });
    });
    const { body } = await request(app)
      .get('/mcp')
      .set('authorization', `Bearer ${tokens.issue('ada')}`);
    expect(body).toEqual({ code: 'caller_withdrawn' });
  });
});

const inspectDeeply = (value: unknown): string =>
  inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null });

const KEY = makeKey();

describe('without a token, the error says why', () => {
  const { policy, issue } = createIssuer();
  const good = { token: 'gho_1', expiresAt: undefined };

  test.each<[string, Record<string, unknown>, () => string | undefined, string]>([
    ['an anonymous caller', { mode: 'optional' }, () => undefined, 'anonymous_caller'],
    ['a token that is not accepted, in permissive mode', { mode: 'permissive' }, () => 'x', 'anonymous_caller'],
    ['an API key', { apiKeys: [KEY.entry] }, () => KEY.key, 'no_upstream_token'],
  ])('%s', async (_what, changes, token, code) => {
    const { ask } = createUpstreamApp({ ...policy, ...changes });
    const { body } = await ask(token());
    expect(body).toMatchObject({ name: 'UpstreamTokenError', code });
  });

  test('a token of the identity provider that has expired', async () => {
    const { ask } = createUpstreamApp(policy);
    const expiresAt = Math.floor(Date.now() / 1_000) + 60;
    const token = issue({ upstream: { token: 'gho_1', expiresAt } });
    expect((await ask(token)).body.token).toBe('gho_1');
    vi.useFakeTimers({ toFake: ['Date'], now: (expiresAt + 1) * 1_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await ask(token)).body).toMatchObject({ code: 'upstream_token_expired' });
  });

  test.each<[string, (auth: AuthInfo, req: IncomingMessage) => unknown, string]>([
    ['a copy of the request', (_auth, req) => ({ ...req }), 'unknown_caller'],
    ['a Proxy of the request', (_auth, req) => new Proxy(req, {}), 'unknown_caller'],
    ['undefined', () => undefined, 'anonymous_caller'],
    ['null', () => null, 'anonymous_caller'],
    ['a copy of the AuthInfo', (auth) => ({ ...auth }), 'unknown_caller'],
    ['an AuthInfo from elsewhere', () => ({ token: 'x', clientId: 'x', scopes: [] }), 'unknown_caller'],
    ['a request of the Fetch API', () => new Request('https://mcp.example/mcp'), 'unknown_caller'],
    ['a text', () => 'gho_1', 'unknown_caller'],
    ['the token', ({ token }) => token, 'unknown_caller'],
  ])('%s', async (_what, callerFrom, code) => {
    const app = express().use(mcpAuth(policy as unknown as McpAuthOptions), async (req, res) => {
      const caller = callerFrom(getAuth(req) as AuthInfo, req) as Caller;
      const failed = await getUpstreamToken(caller).catch((error: unknown) => error);
      res.json({ ...(failed as object), message: (failed as Error).message });
    });
    const { body } = await request(app)
      .get('/mcp')
      .set('authorization', `Bearer ${issue({ upstream: good })}`);
    expect(body).toMatchObject({
      name: 'UpstreamTokenError',
      code,
      message: expect.stringMatching(/^getUpstreamToken\(\): /),
    });
  });
});
