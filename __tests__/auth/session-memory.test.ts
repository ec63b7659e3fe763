import { describe, expect, test } from 'vitest';
import { ask, createTrustingServer, startSessionApp, UNKNOWN_SESSION, userOf } from '../support/session-app.js';
import { until } from '../support/until.js';

const served = { status: 200, body: '{"served":true}' };

describe('sessionOwners: remember', () => {
  test('an id from before a restart passes, and belongs to the first who names it', async () => {
    const before = await startSessionApp();
    const id = await before.open('alice');
    const { url } = await startSessionApp({}, before);
    expect(await ask(url, 'alice', id)).toMatchObject(served);
    expect(await ask(url, 'bob', id)).toEqual(UNKNOWN_SESSION);
    expect(await ask(url, 'alice', id)).toMatchObject(served);
  });

  test('of two users who name an unknown id at the same time one is served', async () => {
    const before = await startSessionApp();
    const id = await before.open('alice');
    const { url } = await startSessionApp({}, before);
    const replies = await Promise.all(['alice', 'bob', 'carol', 'dave'].map((user) => ask(url, user, id)));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 404, 404, 404]);
  });

  test.each([400, 404, 500])(
    'an unknown id that the server answers with %i does not belong to who named it',
    async (status) => {
      const server = createTrustingServer();
      let isBroken = true;
      const { url } = await startSessionApp(
        {},
        {
          ...server,
          handle: (req, res, next) => (isBroken ? void res.writeHead(status).end() : server.handle(req, res, next)),
        },
      );
      expect((await ask(url, 'bob', 'the-id')).status).toBe(status);
      isBroken = false;
      server.sessions.add('the-id');
      expect(await ask(url, 'alice', 'the-id')).toMatchObject(served);
      expect(await ask(url, 'bob', 'the-id')).toEqual(UNKNOWN_SESSION);
    },
  );

  test('an unknown id does not belong to who named it and hung up before the answer', async () => {
    const server = createTrustingServer();
    server.sessions.add('the-id');
    let reached = 0;
    const { url } = await startSessionApp(
      {},
      {
        ...server,
        handle: (req, res, next) => {
          reached++;
          if (reached > 1) server.handle(req, res, next);
        },
      },
    );
    const hangUp = new AbortController();
    const headers = { ...userOf('bob'), 'mcp-session-id': 'the-id' };
    const hanging = fetch(url, { method: 'POST', headers, signal: hangUp.signal }).catch(() => undefined);
    await until(() => reached === 1);
    expect(await ask(url, 'alice', 'the-id')).toEqual(UNKNOWN_SESSION);
    hangUp.abort();
    await hanging;
    await until(async () => (await ask(url, 'alice', 'the-id')).status === 200);
    expect(await ask(url, 'bob', 'the-id')).toEqual(UNKNOWN_SESSION);
  });

  test('an id in other capitals is the same id', async () => {
    const { url, open } = await startSessionApp();
    const id = await open('alice');
    expect(await ask(url, 'bob', id.toUpperCase())).toEqual(UNKNOWN_SESSION);
  });

  test.each(['\xa0', ' x', '\x85'])('an id with %j, which a server may trim, is the id of no session', async (end) => {
    const { url, open, seen } = await startSessionApp();
    const id = await open('alice');
    expect(await ask(url, 'bob', id + end)).toEqual(UNKNOWN_SESSION);
    expect(seen).toHaveLength(1);
  });

  test('a server that assigns one id to all gives it to the first, and the log says so', async () => {
    const server = createTrustingServer();
    server.sessions.add('all');
    const { url, lines } = await startSessionApp(
      {},
      {
        ...server,
        handle: (req, res, next) => {
          if (req.headers['mcp-session-id']) server.handle(req, res, next);
          else res.setHeader('mcp-session-id', 'all').end();
        },
      },
    );
    expect((await ask(url, 'alice')).id).toBe('all');
    for (const user of ['bob', 'bob']) expect((await ask(url, user)).id).toBe('all');
    expect(lines).toEqual([expect.stringMatching(/^warn mcpAuth\(\): .*session ids must be unique$/)]);
    expect(await ask(url, 'alice', 'all')).toMatchObject(served);
    expect(await ask(url, 'bob', 'all')).toEqual(UNKNOWN_SESSION);
  });

  test('clients see the id of the server', async () => {
    const { open, sessions } = await startSessionApp();
    expect(sessions).toContain(await open('alice'));
  });
});
