import { createServer } from 'node:http';
import express from 'express';
import request from 'supertest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { getAuth, mcpAuth, mcpScopes, mcpStdioBackend } from '../../src/index.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';
import { SCRIPTED } from '../support/stdio-bridge.js';

const signer = createSigner();
const good = signer.sign(claims());

type AnyAuth = express.Request & { auth?: unknown };

const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, audiences: [RESOURCE], mode: 'optional' } as const;

/** An app whose requests pass `mcpAuth()`, and then a middleware that changes them. */
function appWith(change: (req: AnyAuth) => void) {
  return express().use(mcpAuth(policy), (req, _res, next) => {
    change(req);
    next();
  });
}

const report: express.ErrorRequestHandler = (error, _req, res, _next) =>
  void res.status(500).json({ error: error.message });

/** The sender of a request, as getAuth() returns it after `replace`, or the error that it throws. */
async function senderAfter(replace: (req: AnyAuth) => express.Request, authorization?: string) {
  const app = appWith(() => undefined).use((req, res) => void res.json({ sender: getAuth(replace(req)) ?? null }));
  const call = request(app.use(report)).get('/mcp');
  return (await (authorization === undefined ? call : call.set('authorization', authorization))).body;
}

const alice = { sender: expect.objectContaining({ token: good, scopes: [] }) };
const anonymous = { sender: null };
const mallory = { token: 'x', clientId: 'x', scopes: ['admin'], payload: { sub: 'mallory' } };
const proxyOf = (req: express.Request) => new Proxy(req, {});

describe('a middleware after the protected app', () => {
  test.each<[string, (req: AnyAuth) => void]>([
    ['other headers', (req) => Object.assign(req, { headers: {}, rawHeaders: [] })],
    ['another req.auth', (req) => Object.assign(req, { auth: mallory })],
    ['a req.auth with more in it', (req) => add(req, { scopes: ['admin'], payload: mallory.payload })],
    ['a copy of req.auth', (req) => Object.assign(req, { auth: structuredClone(req.auth) })],
    ['no req.auth', (req) => Object.assign(req, { auth: undefined })],
  ])('changes no sender by %s', async (_name, change) => {
    const changed = (req: AnyAuth) => {
      change(req);
      return req;
    };
    expect(await senderAfter(changed, `Bearer ${good}`)).toEqual(alice);
  });

  const lost = { error: expect.stringContaining('a middleware after mcpAuth() replaced the request object') };
  test.each([
    ['a request derived from the first keeps its sender', Object.create, alice],
    ['a Proxy is not taken for anonymous', proxyOf, lost],
    ['a copy is not taken for anonymous', (req: object) => Object.assign(Object.create(Object.prototype), req), lost],
  ])('%s', async (_name, replace, expected) => {
    expect(await senderAfter(replace, `Bearer ${good}`)).toEqual(expected);
    expect(await senderAfter(replace), 'without a token').toEqual(anonymous);
  });

  test.each<[string, (req: AnyAuth) => void]>([
    ['gave the sender more scopes', (req) => add(req, { scopes: ['admin'] })],
    ['took the sender away', (req) => Object.assign(req, { auth: undefined })],
  ])('that %s changes nothing for mcpScopes()', async (_name, change) => {
    const app = appWith(change).use(mcpScopes({ 'tools/call': { danger: ['admin'] } }));
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'danger' } };
    const response = await request(app).post('/mcp').auth(good, { type: 'bearer' }).send(message);
    expect(response).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
  });

  test('that replaces or takes away the sender leaves the session with its owner', async () => {
    const backend = mcpStdioBackend({ command: process.execPath, args: [SCRIPTED] });
    onTestFinished(() => backend.close());
    const app = appWith((req) =>
      Object.assign(req, { auth: req.get('x-replace') === undefined ? undefined : mallory }),
    );
    app.use('/mcp', backend);
    const send = (message: object, headers: Record<string, string>) => {
      const call = request(app)
        .post('/mcp')
        .set({ accept: 'application/json, text/event-stream', ...headers });
      return call.send({ jsonrpc: '2.0', id: 1, ...message });
    };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const alices = { authorization: `Bearer ${good}` };
    const opened = await send({ method: 'initialize', params }, alices);
    const session = { 'mcp-session-id': opened.get('mcp-session-id') ?? '' };
    expect((await send({ method: 'ping' }, { ...alices, ...session, 'x-replace': '1' })).status).toBe(200);
    expect((await send({ method: 'ping' }, { ...session, 'x-replace': '1' })).status).toBe(404);
  });

  test('a derived request to another protected app hides its sender there and nowhere else', async () => {
    const other = mcpAuth({ ...policy, audiences: ['other'], mode: 'permissive' });
    const app = express().use(mcpAuth(policy));
    app.use((req, res) => {
      const derived = Object.create(req);
      other(derived, res, () => res.json([req, derived].map((each) => getAuth(each)?.token ?? null)));
    });
    expect((await request(app).get('/mcp').auth(good, { type: 'bearer' })).body).toEqual([good, null]);
  });
});

test.each([
  ['mcpScopes()', () => mcpScopes({ 'tools/call': ['admin'] })],
  ['mcpStdioBackend()', () => mcpStdioBackend({ command: process.execPath, args: [SCRIPTED] })],
])(
  '%s passes what getAuth() throws to next(): on bare node:http nothing else would catch it',
  async (_name, create) => {
    const protectedApp = mcpAuth(policy);
    const later = create();
    const server = createServer((req, res) => {
      protectedApp(req, res, () => later(proxyOf(req as express.Request), res, (error) => res.end(String(error))));
    });
    // The second time the token is remembered, so there is no promise whose rejection would be caught.
    for (const _ of [1, 2]) {
      const { text } = await request(server).post('/mcp').auth(good, { type: 'bearer' });
      expect(text).toContain('a middleware after mcpAuth() replaced the request object');
    }
  },
);

function add(req: AnyAuth, more: object): void {
  Object.assign(req, { auth: { ...(req.auth as object), ...more } });
}
