import express from 'express';
import request from 'supertest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { getAuth, mcpAuth, mcpScopes, mcpStdioBackend } from '../../src/index.js';
import { SCRIPTED } from '../stdio/support.js';
import { claims, ISSUER, RESOURCE } from '../support/gate.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const good = signer.sign(claims());

type AnyAuth = express.Request & { auth?: unknown };

const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, audiences: [RESOURCE], mode: 'optional' } as const;

/** An app whose requests go through the gate, and then through a middleware that does something to them. */
function appWith(change: (req: AnyAuth) => void) {
  return express().use(mcpAuth(policy), (req, _res, next) => {
    change(req);
    next();
  });
}

const report: express.ErrorRequestHandler = (error, _req, res, _next) =>
  void res.status(500).json({ error: error.message });

/** Who sent a request, as what comes after `replace` sees it, or what getAuth() said instead. */
async function senderAfter(replace: (req: AnyAuth) => express.Request, authorization?: string) {
  const app = appWith(() => undefined).use((req, res) => void res.json({ sender: getAuth(replace(req)) ?? null }));
  const call = request(app.use(report)).get('/mcp');
  return (await (authorization === undefined ? call : call.set('authorization', authorization))).body;
}

describe('a middleware after the gate', () => {
  const alice = { sender: expect.objectContaining({ token: good, scopes: [] }) };
  const nobody = { sender: null };
  const refusal = { error: expect.stringContaining('"req.auth" does not hold the "payload" object') };
  const mallory = { token: good, clientId: 'x', scopes: ['admin'], payload: { sub: 'mallory' } };

  test.each<[string, (req: AnyAuth) => void, unknown]>([
    ['changes no sender by other headers', (req) => Object.assign(req, { headers: {}, rawHeaders: [] }), alice],
    ['may add to who it is, not to what was verified', (req) => add(req, { user: 1, scopes: ['admin'] }), alice],
    ['may take the sender away', (req) => Object.assign(req, { auth: undefined }), nobody],
    ['may take the sender away with null', (req) => Object.assign(req, { auth: null }), nobody],
    ['makes no sender', (req) => Object.assign(req, { auth: mallory }), refusal],
    ['makes no sender with equal claims', (req) => Object.assign(req, { auth: structuredClone(req.auth) }), refusal],
    ['makes no sender with other claims', (req) => add(req, { payload: mallory.payload }), refusal],
    ['makes no sender of a word', (req) => Object.assign(req, { auth: 'alice' }), refusal],
  ])('%s', async (_name, change, expected) => {
    const changed = (req: AnyAuth) => {
      change(req);
      return req;
    };
    expect(await senderAfter(changed, `Bearer ${good}`)).toEqual(expected);
  });

  test('makes no sender of nobody', async () => {
    const added = (req: AnyAuth) => {
      add(req, { user: 1 });
      return req;
    };
    expect(await senderAfter(added)).toEqual(refusal);
  });

  test.each([
    ['derived from the first', Object.create],
    ['that is a Proxy', (req: express.Request) => new Proxy(req, {})],
    ['that is a copy', (req: object) => Object.assign(Object.create(Object.prototype), req)],
  ])('may go on with a request %s', async (_name, replace) => {
    expect(await senderAfter(replace, `Bearer ${good}`)).toEqual(alice);
    expect(await senderAfter(replace), 'without a token').toEqual(nobody);
  });

  test.each<[string, (req: AnyAuth) => void, status: number, error: unknown]>([
    ['replaced the sender', (req) => Object.assign(req, { auth: mallory }), 500, refusal.error],
    [
      'took the sender away',
      (req) => Object.assign(req, { auth: undefined }),
      500,
      expect.stringContaining('no mcpAuth() answers'),
    ],
    ['gave the sender more scopes', (req) => add(req, { scopes: ['admin'] }), 403, 'insufficient_scope'],
  ])('that %s gets nobody past mcpScopes()', async (_name, change, status, error) => {
    const app = appWith(change).use(mcpScopes({ 'tools/call': { danger: ['admin'] } }));
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'danger' } };
    const response = await request(app.use(report)).post('/mcp').auth(good, { type: 'bearer' }).send(message);
    expect(response).toMatchObject({ status, body: { error } });
  });

  test('that adds to the sender leaves the session with its owner, one that replaces the sender opens none', async () => {
    const backend = mcpStdioBackend({ command: process.execPath, args: [SCRIPTED] });
    onTestFinished(() => backend.close());
    const app = appWith((req) => {
      if (req.get('x-add') !== undefined) add(req, { user: 1, clientId: 'another' });
      if (req.get('x-replace') !== undefined) Object.assign(req, { auth: mallory });
    }).use('/mcp', backend);
    const send = (message: object, headers: Record<string, string>) => {
      const call = request(app.use(report))
        .post('/mcp')
        .set({ accept: 'application/json, text/event-stream', ...headers });
      return call.send({ jsonrpc: '2.0', id: 1, ...message });
    };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const initialize = { method: 'initialize', params };
    const alices = { authorization: `Bearer ${good}` };
    expect((await send(initialize, { ...alices, 'x-replace': '1' })).body).toEqual(refusal);
    const opened = await send(initialize, { ...alices, 'x-add': '1' });
    const session = { 'mcp-session-id': opened.get('mcp-session-id') ?? '' };
    expect((await send({ method: 'ping' }, { ...alices, ...session })).status).toBe(200);
    expect((await send({ method: 'ping' }, session)).status).toBe(404);
  });

  test('a derived request to another gate hides its sender there and nowhere else', async () => {
    const other = mcpAuth({ ...policy, audiences: ['other'], mode: 'permissive' });
    const app = express().use(mcpAuth(policy));
    app.use((req, res) => {
      const derived = Object.create(req);
      other(derived, res, () => res.json([req, derived].map((each) => getAuth(each)?.token ?? null)));
    });
    expect((await request(app).get('/mcp').auth(good, { type: 'bearer' })).body).toEqual([good, null]);
  });
});

function add(req: AnyAuth, more: object): void {
  Object.assign(req, { auth: { ...(req.auth as object), ...more } });
}
