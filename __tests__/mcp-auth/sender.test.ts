import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { getAuth, mcpAuth, mcpScopes, mcpStdioBackend } from '../../src/index.js';
import { SCRIPTED } from '../stdio/support.js';
import { claims, ISSUER, RESOURCE } from '../support/gate.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const good = signer.sign(claims());

type Handed = express.Request & { auth?: unknown };

/** Who has sent a request after a middleware behind the gate has done something to it, or what getAuth() said instead. */
async function senderAfter(change: (req: Handed) => express.Request, authorization?: string) {
  const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, audiences: [RESOURCE], mode: 'optional' } as const;
  const app = express().use(mcpAuth(policy));
  app.use((req, res) => void res.json({ sender: getAuth(change(req)) ?? null }));
  app.use((error: Error, _req: unknown, res: express.Response, _next: unknown) => {
    res.status(500).json({ sender: error.message });
  });
  const call = request(app).get('/mcp');
  const { body } = await (authorization === undefined ? call : call.set('authorization', authorization));
  return body.sender;
}

describe('a middleware after the gate', () => {
  const alice = expect.objectContaining({ token: good, scopes: [] });
  const refusal = expect.stringContaining('"req.auth" is not what mcpAuth() set');
  const mallory = { token: good, clientId: 'x', scopes: ['admin'], payload: { sub: 'mallory' } };

  test.each<[string, (req: Handed) => void, unknown]>([
    ['changes no sender by other headers', (req) => Object.assign(req, { headers: {}, rawHeaders: [] }), alice],
    ['may add to who it is, not to what was verified', (req) => add(req, { user: 1, scopes: ['admin'] }), alice],
    ['may take the sender away', (req) => Object.assign(req, { auth: undefined }), null],
    ['may take the sender away with null', (req) => Object.assign(req, { auth: null }), null],
    ['makes no sender', (req) => Object.assign(req, { auth: mallory }), refusal],
    ['makes no sender with equal claims', (req) => Object.assign(req, { auth: structuredClone(req.auth) }), refusal],
    ['makes no sender with other claims', (req) => add(req, { payload: mallory.payload }), refusal],
    ['makes no sender of a word', (req) => Object.assign(req, { auth: 'alice' }), refusal],
  ])('%s', async (_name, change, expected) => {
    const changed = (req: Handed) => {
      change(req);
      return req;
    };
    expect(await senderAfter(changed, `Bearer ${good}`)).toEqual(expected);
  });

  test.each([
    ['derived from the first', Object.create],
    ['that is a Proxy', (req: express.Request) => new Proxy(req, {})],
    ['that is a copy', (req: object) => Object.assign(Object.create(Object.prototype), req)],
  ])('may go on with a request %s', async (_name, replace) => {
    expect(await senderAfter(replace, `Bearer ${good}`)).toEqual(alice);
    expect(await senderAfter(replace), 'without a token').toBeNull();
  });

  test.each<[string, (req: Handed) => void, scopes: number, backend: number]>([
    ['that replaced the sender', (req) => Object.assign(req, { auth: mallory }), 500, 500],
    ['that took the sender away', (req) => Object.assign(req, { auth: undefined }), 500, 200],
    ['that gave the sender more scopes', (req) => add(req, { scopes: ['admin'] }), 403, 200],
  ])('%s, before mcpScopes() and mcpStdioBackend()', async (_name, change, scopes, backend) => {
    const gate = mcpAuth({ issuer: ISSUER, jwks: { keys: [signer.jwk] }, audiences: [RESOURCE] });
    const stdio = mcpStdioBackend({ command: process.execPath, args: [SCRIPTED] });
    const app = express().use(gate, (req, _res, next) => {
      change(req);
      next();
    });
    app.use(
      '/scoped',
      mcpScopes({ 'tools/call': { danger: ['admin'] } }),
      (_req, res) => void res.json({ reached: true }),
    );
    app.use('/mcp', stdio);
    app.use((_error: Error, _req: unknown, res: express.Response, _next: unknown) => void res.sendStatus(500));
    const post = (path: string, message: object) =>
      request(app)
        .post(path)
        .auth(good, { type: 'bearer' })
        .set('accept', 'application/json, text/event-stream')
        .send({ jsonrpc: '2.0', id: 1, ...message });
    try {
      expect((await post('/scoped', { method: 'tools/call', params: { name: 'danger' } })).status).toBe(scopes);
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
      expect((await post('/mcp', { method: 'initialize', params })).status).toBe(backend);
    } finally {
      await stdio.close();
    }
  });

  test('a derived request to another gate hides its sender there and nowhere else', async () => {
    const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] } };
    const other = mcpAuth({ ...policy, audiences: ['other'], mode: 'permissive' });
    const app = express().use(mcpAuth({ ...policy, audiences: [RESOURCE] }));
    app.use((req, res) => {
      const derived = Object.create(req);
      other(derived, res, () => res.json([req, derived].map((each) => getAuth(each)?.token ?? null)));
    });
    expect((await request(app).get('/mcp').auth(good, { type: 'bearer' })).body).toEqual([good, null]);
  });
});

function add(req: Handed, more: object): void {
  Object.assign(req, { auth: { ...(req.auth as object), ...more } });
}
