import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { serveRemote } from '../support/http-backend.js';
import { freePort } from '../support/loopback-server.js';
import { call, open, post } from '../support/mcp-requests.js';
import { endPrograms, ROOT, startNode, startProgram } from '../support/program.js';
import { type RemoteServer, recordBytes, startRemote } from '../support/remote-servers.js';
import { SDK_USERS, userOfV1 } from '../support/sdk-users.js';
import { GO_EVERYTHING, PYTHON } from './install.js';

afterAll(endPrograms);

const python = (file: string) => () => startRemote(PYTHON, [`${ROOT}__tests__/remote/${file}`]);
const SERVERS = [
  ['FastMCP', python('fastmcp-server.py'), { ask: 'ask', hasProgress: true }],
  ['the Python SDK', python('sdk-server.py'), { ask: 'ask', hasProgress: true }],
  [
    'the Go SDK',
    () => startRemote(GO_EVERYTHING, (port) => ['-http', `127.0.0.1:${port}`]),
    { ask: 'elicit (form)', hasProgress: false },
  ],
] as const;

describe.each(SERVERS)('a server made with %s', (_name, start, { ask, hasProgress }) => {
  let server: RemoteServer;
  beforeAll(async () => {
    server = await start();
  });

  async function serve() {
    const target = await recordBytes(server.url);
    return { ...(await serveRemote(target.url)), target };
  }

  test.each(SDK_USERS)(
    'serves two users of %s at once, each alone, and gets no token of theirs',
    async (_sdk, connect) => {
      const { url, bearer, target, backend } = await serve();
      const headers = { ada: bearer('ada'), bob: bearer('bob') };
      const [ada, bob] = await Promise.all([connect(url, 'ada', headers.ada), connect(url, 'bob', headers.bob)]);
      expect(await ada.tools()).toEqual(expect.arrayContaining(['greet', ask]));
      const greetings = await Promise.all([ada.call('greet', { name: 'Ada' }), bob.call('greet', { name: 'Bob' })]);
      expect(greetings).toEqual(['Hi Ada', 'Hi Bob']);
      if (hasProgress) {
        const progress = { ada: [] as number[], bob: [] as number[] };
        await Promise.all([
          ada.call('count', { steps: 3 }, (step) => progress.ada.push(step)),
          bob.call('count', { steps: 5 }, (step) => progress.bob.push(step)),
        ]);
        expect(progress).toEqual({ ada: [1, 2, 3], bob: [1, 2, 3, 4, 5] });
      }
      // Servers may ask only in the revisions with sessions.
      if (ada.era === 'legacy') {
        const answers = await Promise.all([ada.call(ask, {}), bob.call(ask, {})]);
        expect(answers.map((text) => /ada|bob/.exec(text)?.[0])).toEqual(['ada', 'bob']);
        expect(backend.stats().sessions).toBe(2);
      }
      await Promise.all([ada.close(), bob.close()]);
      for (const { authorization } of Object.values(headers))
        expect(target.bytes()).not.toContain(authorization.slice(7));
    },
  );

  test('answers another user in a session as in an unknown one, and its owner as before', async () => {
    const { url, bearer } = await serve();
    const session = await open(url, bearer('ada'));
    const ask = (headers: object) =>
      post(url, { jsonrpc: '2.0', id: 7, method: 'tools/list' }, { ...session, ...headers });
    expect((await ask(bearer('bob'))).status).toBe(404);
    expect((await ask({})).status).toBe(200);
  });

  test('serves two users of FastMCP’s client at once', async () => {
    const { url, issuer } = await serve();
    const found = await Promise.all(
      ['ada', 'bob'].map(async (name) => {
        const args = [`${ROOT}__tests__/remote/fastmcp-client.py`, url, issuer.token({ sub: name }), name];
        const client = startProgram(PYTHON, args);
        expect(await client.ended, client.stderr).toBe(0);
        return JSON.parse(client.stdout) as object;
      }),
    );
    const progress = hasProgress ? { progress: [1, 2, 3] } : {};
    expect(found).toEqual(
      ['ada', 'bob'].map((name) => ({
        greeting: `Hi ${name}`,
        tools: expect.arrayContaining(['greet']),
        ...progress,
      })),
    );
  });
});

test('samples/remote/server.py learns from samples/remote-backend.ts who is calling, and serves no other caller', async () => {
  const issuer = createTestIssuer();
  await issuer.listen();
  onTestFinished(() => issuer.close());
  const port = await freePort();
  const gateway = `http://localhost:${port}`;
  const server = await startRemote(PYTHON, [`${ROOT}samples/remote/server.py`], { GATEWAY: gateway });
  const target = server.url.replace('127.0.0.1', 'localhost');
  const env = { PORT: `${port}`, ISSUER: issuer.issuer, MCP_SERVER: target };
  await startNode([`${ROOT}build/samples/remote-backend.js`], { env }).says(/Listening on/);
  const url = `${gateway}/mcp`;
  const tokenOf = (sub: string) => issuer.tokenFor(url, { sub, clientId: 'inspector', scopes: ['profile'] });
  const [ada, bob] = await Promise.all(
    ['ada', 'bob'].map((sub) => userOfV1(url, sub, { authorization: `Bearer ${tokenOf(sub)}` })),
  );
  expect(await ada?.call('whoami', {})).toBe('ada, with inspector, may profile');
  expect(await bob?.call('whoami', {})).toBe('bob, with inspector, may profile');
  const direct = await post(target, call(1, 'whoami'), { authorization: `Bearer ${tokenOf('ada')}` });
  expect(direct.status).toBe(401);
  await Promise.all([ada?.close(), bob?.close()]);
});
