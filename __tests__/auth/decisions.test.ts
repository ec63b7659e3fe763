import { Console } from 'node:console';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import request from 'supertest';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuthDecision } from '../../src/index.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { claims, createProtectedApp, ISSUER } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const good = signer.sign(claims({ azp: 'app' }));
const expired = signer.sign(claims({ exp: 1 }));
const forged = createSigner().sign(claims());

function setUp(options: Record<string, unknown> = {}) {
  const decisions: AuthDecision[] = [];
  const protectedApp = createProtectedApp(
    { onDecision: (decision: AuthDecision) => decisions.push(decision), ...options },
    signer,
  );
  return { ...protectedApp, decisions };
}

describe('every decision is reported', () => {
  test.each([
    ['strict', undefined, { outcome: 'refused', code: 'missing_token' }],
    [
      'strict',
      expired,
      { outcome: 'refused', code: 'token_expired', issuer: ISSUER, subject: 'alice', kid: signer.kid },
    ],
    ['strict', good, { outcome: 'passed', code: undefined }],
    ['optional', undefined, { outcome: 'anonymous', code: 'missing_token' }],
    ['optional', forged, { outcome: 'refused', code: 'unknown_key' }],
    ['optional', good, { outcome: 'passed' }],
    ['permissive', undefined, { outcome: 'would_refuse', code: 'missing_token' }],
    ['permissive', expired, { outcome: 'would_refuse', code: 'token_expired' }],
    ['permissive', good, { outcome: 'passed' }],
  ] as const)('in %s mode', async (mode, token, expected) => {
    const { get, decisions } = setUp({ mode });
    await get(token && `Bearer ${token}`);
    expect(decisions).toEqual([expect.objectContaining({ mode, ...expected })]);
  });

  test('with the caller, the request, the duration and the source', async () => {
    const { get, decisions } = setUp();
    for (const _ of [1, 2]) await get(`Bearer ${good}`, '/mcp/x?secret=1');
    expect(decisions[1]).toEqual({
      mode: 'strict',
      outcome: 'passed',
      code: undefined,
      issuer: ISSUER,
      subject: 'alice',
      clientId: 'app',
      kid: signer.kid,
      method: 'GET',
      path: '/mcp/x',
      durationMs: expect.any(Number),
      cached: true,
    });
    expect(decisions[1]?.durationMs).toBeGreaterThan(0);
  });

  test('an outage is reported as such', async () => {
    const { lines, logger } = createRecordingLogger();
    const { get, decisions } = setUp({ jwks: { url: await unreachableUrl() }, logger });
    await get(`Bearer ${good}`);
    const sender = { issuer: ISSUER, subject: 'alice', clientId: 'app', kid: signer.kid };
    const outage = { outcome: 'failed', code: 'key_set_unavailable', ...sender };
    expect(decisions).toEqual([expect.objectContaining(outage)]);
    expect(lines.at(-1)).toContain(`"iss":"${ISSUER}","sub":"alice","client_id":"app","kid":"${signer.kid}"`);
  });

  test.each([[{ client_id: 'app', azp: 'b', cid: 'c' }], [{ azp: 'app', cid: 'c' }], [{ cid: 'app' }]])(
    'a refused token of the client in %j',
    async (client) => {
      const { send, decisions } = setUp();
      await send(signer.sign(claims({ exp: 1, ...client })));
      expect(decisions).toEqual([expect.objectContaining({ outcome: 'refused', clientId: 'app' })]);
    },
  );

  test('a token that is known, and refused for its scopes', async () => {
    const { send, decisions } = setUp({ requiredScopes: ['admin'] });
    for (const _ of [1, 2]) await send(good);
    const refused = { outcome: 'refused', code: 'insufficient_scope', subject: 'alice', clientId: 'app' };
    expect(decisions).toEqual([false, true].map((cached) => expect.objectContaining({ ...refused, cached })));
  });

  test('on the diagnostics channel too', async () => {
    const published: unknown[] = [];
    const listen = (decision: unknown) => void published.push(decision);
    subscribe('express-mcp-auth:decision', listen);
    onTestFinished(() => void unsubscribe('express-mcp-auth:decision', listen));
    await createProtectedApp({}, signer).get();
    expect(published).toEqual([expect.objectContaining({ outcome: 'refused', code: 'missing_token' })]);
  });

  test('a request for the metadata is no decision', async () => {
    const { get, decisions } = setUp();
    await get(undefined, '/.well-known/oauth-protected-resource/mcp');
    expect(decisions).toEqual([]);
  });
});

test.each<[name: string, fail: () => void]>([
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
])('a hook or a logger that %s changes nothing', async (_name, fail) => {
  const logger = { debug: fail, info: fail, warn: fail, error: fail };
  for (const mode of ['strict', 'permissive'] as const) {
    const { send, get } = createProtectedApp({ mode, onDecision: fail, logger }, signer);
    expect((await send(good)).status).toBe(200);
    expect((await get()).status).toBe(mode === 'strict' ? 401 : 200);
  }
});

describe('the log', () => {
  test('in permissive mode has one line a request: what strict would have done, and why', async () => {
    const { lines, logger } = createRecordingLogger();
    const { get } = createProtectedApp({ mode: 'permissive', logger }, signer);
    // The warning of the mode itself.
    lines.splice(0);
    await get(`Bearer ${good}`);
    await get();
    await get(`Bearer ${signer.sign(claims({ aud: 'other' }))}`);
    expect(lines).toEqual([
      'info mcpAuth permissive: GET "/mcp" passed',
      'info mcpAuth permissive: GET "/mcp" would_refuse: missing_token: JWT token required {}',
      'info mcpAuth permissive: GET "/mcp" would_refuse: wrong_audience: The token is meant for another audience ' +
        '{"claim":"aud","expected":["https://mcp.example/mcp"],"found":["other"],' +
        `"iss":"${ISSUER}","sub":"alice","kid":"${signer.kid}"}`,
    ]);
  });

  test('shows the expected issuers for a token of another issuer, which the client does not see', async () => {
    const { lines, logger } = createRecordingLogger();
    const { get } = createProtectedApp({ logger }, signer);
    const { headers, body } = await get(`Bearer ${signer.sign(claims({ iss: 'https://other.example' }))}`);
    expect(lines).toEqual([expect.stringContaining(`{"iss":"https://other.example","expected":["${ISSUER}"],`)]);
    expect(JSON.stringify([headers, body])).not.toContain(ISSUER);
  });

  test('of a token without the required scopes says whose token it is', async () => {
    const { lines, logger } = createRecordingLogger();
    const { send } = createProtectedApp({ requiredScopes: ['admin'], logger }, signer);
    for (const _ of [1, 2]) await send(good);
    const sender = `"iss":"${ISSUER}","sub":"alice","client_id":"app","kid":"${signer.kid}"`;
    const line = `info mcpAuth strict: GET "/mcp" refused: insufficient_scope: The token lacks a required scope {"missing":["admin"],${sender}}`;
    expect(lines).toEqual([line, line]);
  });

  test('cuts a long client id, which onDecision gets whole', async () => {
    const { lines, logger } = createRecordingLogger();
    const { send, decisions } = setUp({ logger });
    const id = 'c'.repeat(250);
    await send(signer.sign(claims({ exp: 1, client_id: id })));
    expect(lines).toEqual([expect.stringContaining(`"client_id":"${'c'.repeat(80)}…","kid":"${signer.kid}"}`)]);
    expect(decisions).toEqual([expect.objectContaining({ clientId: id })]);
  });

  test.each([
    ['/mcp?access_token=hush', undefined, true],
    ['/mcp?access_token=hush', 'Basic YTpi', true],
    ['/mcp?token=hush', undefined, false],
  ])('of %s with %s says that a token in the query is not read: %s', async (path, authorization, isSaid) => {
    const { lines, logger } = createRecordingLogger();
    await createProtectedApp({ logger }, signer).get(authorization, path);
    const evidence = isSaid
      ? '{"hint":"a token in the query is not read, only one in the Authorization header"}'
      : '{}';
    expect(lines).toEqual([`debug mcpAuth strict: GET "/mcp" refused: missing_token: JWT token required ${evidence}`]);
  });

  test.each([
    ['console', (out: Writable) => new Console(out)],
    ['pino', (out: Writable) => pino({ level: 'debug' }, out)],
  ])('takes %s', async (_name, create) => {
    let written = '';
    const out = new Writable({
      write(chunk, _encoding, done) {
        written += chunk;
        done();
      },
    });
    const { get } = createProtectedApp({ logger: create(out) }, signer);
    await get();
    await get(`Bearer ${expired}`);
    expect(written).toContain('refused: missing_token');
    expect(written).toContain('refused: token_expired');
    expect(written.trim().split('\n')).toHaveLength(2);
  });

  test('never holds a token, whatever is wrong with it', async () => {
    const { lines, logger } = createRecordingLogger();
    const decisions: AuthDecision[] = [];
    const onDecision = (decision: AuthDecision) => decisions.push(decision);
    const tokens = [good, expired, forged, 'opaque-secret', 'a.b.c.d.e', `${good}.x`, `${good}=`, good.slice(0, -9)];
    for (const mode of ['strict', 'optional', 'permissive'] as const) {
      const { app } = createProtectedApp({ mode, logger, onDecision }, signer);
      for (const token of tokens) {
        await request(app).get(`/mcp?access_token=${token}`).set('authorization', `Bearer ${token}`);
        await request(app).get('/mcp').set('authorization', `Bearer ${token}`);
        await request(app).get('/mcp').set('authorization', `Bearer ${token} ${token}`);
      }
    }
    const output = lines.join('\n') + JSON.stringify(decisions);
    expect(lines.length).toBeGreaterThan(tokens.length);
    for (const token of tokens) {
      for (const part of token.split('.').filter(({ length }) => length > 8)) expect(output).not.toContain(part);
    }
  });

  test('leaves out claims that cannot be serialized, and the answer is the same', async () => {
    const { lines, logger } = createRecordingLogger();
    const { get, decisions } = setUp({ logger });
    const nested = (depth: number) => {
      const sub = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      const parts = ['{"alg":"RS256"}', `{"iss":"x","sub":${sub}}`].map((part) =>
        Buffer.from(part).toString('base64url'),
      );
      return `Bearer ${parts.join('.')}.AAAA`;
    };
    // Code that V8 has optimized reads deeper than JSON.stringify() writes.
    for (let i = 0; i < 60; i += 1) expect((await get(nested(3_000))).status).toBe(401);
    for (const depth of [4_000, 4_200, 4_500, 5_000, 5_500]) expect((await get(nested(depth))).status).toBe(401);
    expect([lines.length, decisions.length]).toEqual([65, 65]);
  });

  test('cannot be made to show a forged line', async () => {
    const { lines, logger } = createRecordingLogger();
    const { send } = createProtectedApp({ logger }, signer);
    await send(signer.sign(claims({ iss: 'x\ninfo mcpAuth strict: GET "/admin" passed' })));
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\n');
  });
});
