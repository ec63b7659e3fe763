import connect from 'connect';
import onHeaders from 'on-headers';
import { describe, expect, test } from 'vitest';
import { type Middleware, mcpAuth } from '../../src/index.js';
import { altered } from '../support/altered.js';
import { serve } from '../support/loopback-server.js';
import { sendRaw } from '../support/raw-request.js';
import {
  ask,
  createTrustingServer,
  sessionPolicy,
  startSessionApp,
  UNKNOWN_SESSION,
  userOf,
} from '../support/session-app.js';

const SECRET = 's'.repeat(32);
const OLD_SECRET = 'o'.repeat(32);
const signed = { sessionOwners: 'sign', secret: SECRET };
const served = { status: 200, body: '{"served":true}' };

describe('sessionOwners: sign', () => {
  test('clients have a signed id, and the server sees its own in headers and rawHeaders', async () => {
    const { url, open, seen, sessions } = await startSessionApp(signed);
    const id = await open('alice');
    expect(id).toMatch(/^[\da-f-]{36}\.[\w-]{43}$/);
    const own = id.slice(0, 36);
    expect([...sessions]).toEqual([own]);
    // The same signature again: the client of SDK v1 takes the id from every answer.
    expect(await ask(url, 'alice', id)).toEqual({ ...served, id });
    expect(seen.at(-1)).toMatchObject({ id: own, rawId: own });
  });

  test.each<[what: string, alter: (id: string) => string]>([
    ["the server's own id", (id) => id.slice(0, 36)],
    ['another id with the same signature', (id) => altered(id, 0)],
    ['other capitals', (id) => id.toUpperCase()],
    ['another signature', (id) => altered(id, -2)],
    ['a signature signed once more', (id) => `${id}.${id.slice(37)}`],
  ])('refuses its own user with %s', async (_what, alter) => {
    const { url, open, seen } = await startSessionApp(signed);
    expect(await ask(url, 'alice', alter(await open('alice')))).toEqual(UNKNOWN_SESSION);
    expect(seen).toHaveLength(1);
  });

  test('an id is signed whatever revision the header names', async () => {
    const { url } = await startSessionApp(signed);
    const { id = '' } = await ask(url, 'alice', undefined, { headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect(id).toHaveLength(80);
    expect(await ask(url, 'alice', id)).toEqual({ ...served, id });
  });

  test('the bare id leaves neither in an interim response nor in trailers', async () => {
    const { url } = await startSessionApp(signed, {
      ...createTrustingServer(),
      handle: (_req, res) => {
        const bare = { 'Mcp-Session-Id': 'the-bare-id' };
        res.writeEarlyHints({ link: '</a>; rel=preload', ...bare });
        res.writeHead(200, bare).write('body');
        res.addTrailers(bare);
        res.end();
      },
    });
    const { authorization = '' } = userOf('alice');
    const lines = ['POST /mcp HTTP/1.1', 'Host: a', `Authorization: ${authorization}`, 'Connection: close', '', ''];
    const answer = await sendRaw(url, lines.join('\r\n'));
    expect(answer).toContain('HTTP/1.1 103');
    expect(answer.match(/the-bare-id.*/g)).toEqual([expect.stringMatching(/^the-bare-id\.[\w-]{43}$/)]);
  });

  test('of two replicas with one secret each serves the sessions of the other, to their users alone', async () => {
    const first = await startSessionApp(signed);
    const second = await startSessionApp(signed, first);
    const replicas = [first, second];
    for (const [i, { open }] of replicas.entries()) {
      const id = await open('alice');
      const other = replicas[1 - i]?.url ?? '';
      for (let n = 0; n < 3; n++) expect(await ask(other, 'alice', id)).toEqual({ ...served, id });
      expect(await ask(other, 'bob', id)).toEqual(UNKNOWN_SESSION);
    }
  });

  test('secrets are rotated without an end of any session, and each answer brings the new signature', async () => {
    const old = await startSessionApp({ ...signed, secret: OLD_SECRET });
    const id = await old.open('alice');
    const rotating = await startSessionApp({ ...signed, secret: [SECRET, OLD_SECRET] }, old);
    const renewed = await ask(rotating.url, 'alice', id);
    expect(renewed).toMatchObject(served);
    expect(renewed.id).not.toBe(id);
    const rotated = await startSessionApp(signed, old);
    expect(await ask(rotated.url, 'alice', renewed.id)).toEqual({ ...served, id: renewed.id });
    expect(await ask(rotated.url, 'alice', id)).toEqual(UNKNOWN_SESSION);
  });

  test('with two secrets an id that has the new signature keeps it', async () => {
    const { url, open } = await startSessionApp({ ...signed, secret: [SECRET, OLD_SECRET] });
    const id = await open('alice');
    expect(await ask(url, 'alice', id)).toEqual({ ...served, id });
  });

  test('a server that answers with another session gets that one signed too', async () => {
    const server = createTrustingServer();
    const { url } = await startSessionApp(signed, {
      ...server,
      handle: (req, res, next) => {
        if (req.method === 'PUT') delete req.headers['mcp-session-id'];
        server.handle(req, res, next);
      },
    });
    const { id } = await ask(url, 'alice');
    const other = await ask(url, 'alice', id, { method: 'PUT' });
    expect(other.id).toHaveLength(80);
    expect(other.id).not.toBe(id);
    expect(await ask(url, 'alice', other.id)).toMatchObject(served);
    expect(await ask(url, 'bob', other.id)).toEqual(UNKNOWN_SESSION);
  });

  test('in permissive mode an id that another user named is not signed for that user', async () => {
    const { url, open, sessions } = await startSessionApp({ ...signed, mode: 'permissive' });
    await open('alice');
    const [own = ''] = sessions;
    expect(await ask(url, 'bob', own)).toEqual({ ...served, id: own });
  });

  test.each<[where: string, isBefore: boolean]>([
    ['before mcpAuth()', true],
    ['after mcpAuth()', false],
  ])('an on-headers listener %s that copies all headers leaves the signed id', async (_where, isBefore) => {
    const { handle } = createTrustingServer();
    const copied: unknown[] = [];
    const copying: Middleware = (_req, res, next) => {
      onHeaders(res, () => {
        for (const name of res.getHeaderNames()) res.setHeader(name, res.getHeader(name) as string);
        copied.push(res.getHeader('mcp-session-id'));
      });
      next();
    };
    const auth = mcpAuth(sessionPolicy(signed));
    const app = connect();
    for (const each of isBefore ? [copying, auth, handle] : [auth, copying, handle]) app.use(each as never);
    const url = `${await serve(app)}/mcp`;
    const { id = '' } = await ask(url, 'alice');
    expect(id).toHaveLength(80);
    // Beneath mcpAuth() it sees what the client gets, above it what the server has set.
    expect(copied).toEqual([isBefore ? id : id.slice(0, 36)]);
    expect(await ask(url, 'alice', id)).toEqual({ ...served, id });
  });

  test('several copies of mcpAuth() with one secret in one app: the one in front of the server decides', async () => {
    const { handle } = createTrustingServer();
    const optional = mcpAuth(sessionPolicy({ ...signed, mode: 'optional' }));
    const app = connect()
      .use(optional as never)
      .use('/mcp', mcpAuth(sessionPolicy(signed)) as never)
      .use(handle as never);
    const url = `${await serve(app)}/mcp`;
    const { id } = await ask(url, 'alice');
    expect(await ask(url, 'alice', id)).toEqual({ ...served, id });
    expect(await ask(url, 'bob', id)).toEqual(UNKNOWN_SESSION);
  });
});
