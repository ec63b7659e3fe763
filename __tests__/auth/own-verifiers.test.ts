import type { Response } from 'supertest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { passTime } from '../support/app-with-key-server.js';
import { expectOutage, startIntrospectionServer } from '../support/introspection-server.js';
import {
  claims,
  createAppInEveryMode,
  createProtectedApp,
  expectInvalidToken,
  RESOURCE,
} from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const INACTIVE = 'The token is not active: it is unknown, expired or revoked';
const TOKEN = 'opaque-token-1';
const nowSeconds = () => Math.floor(Date.now() / 1_000);
const good = { subject: 'alice', clientId: 'app', scopes: ['read'] };
const loop: unknown[] = [];

function setUp(verifier: (token: string) => unknown, changes: Record<string, unknown> = {}) {
  const asked: string[] = [];
  const verify = (token: string) => {
    asked.push(token);
    return verifier(token);
  };
  return { asked, ...createProtectedApp({ verifiers: [verify], ...changes }) };
}

test('what a function returns is the caller', async () => {
  const expiresAt = nowSeconds() + 60;
  const extra = { login: 'al', nested: { a: [1] } };
  const { send } = setUp(async () => ({ ...good, expiresAt, extra }));
  const { body } = await send(TOKEN);
  expect(body).toMatchObject({ subject: 'alice', clientId: 'app', scopes: ['read'], expiresAt, resource: RESOURCE });
  expect(body.payload).toEqual({
    iss: 'urn:express-mcp-auth:verifier:0',
    sub: 'alice',
    client_id: 'app',
    scope: 'read',
    exp: expiresAt,
    ...extra,
  });
  expect(Object.isFrozen(extra)).toBe(false);
});

test('the AuthInfo of the MCP SDK fits, and a function need not be async', async () => {
  const { send } = setUp((token) => ({ token, clientId: 'app', scopes: [], resource: new URL(RESOURCE) }));
  expect((await send(TOKEN)).body).toMatchObject({ clientId: 'app', scopes: [], anonymous: false });
});

test('an empty issuer is none: the users of two functions stay two', async () => {
  const issuers = new Set<unknown>();
  for (const name of ['a', 'b']) {
    const verifiers = ['a', 'b'].map((known) => () => (known === name ? { ...good, issuer: '' } : undefined));
    issuers.add((await createProtectedApp({ verifiers }).send(TOKEN)).body.payload.iss);
  }
  expect(issuers.size).toBe(2);
});

test('the result is remembered for a minute, and a refusal for 10 seconds', async () => {
  let result: unknown = good;
  const { asked, send } = setUp(() => result);
  for (const _ of [1, 2]) expect((await send(TOKEN)).status).toBe(200);
  result = undefined;
  expect((await send(TOKEN)).status).toBe(200);
  passTime(61_000);
  for (const _ of [1, 2]) expectInvalidToken(await send(TOKEN), INACTIVE);
  expect(asked).toHaveLength(2);
  result = good;
  passTime(11_000);
  expect((await send(TOKEN)).status).toBe(200);
});

describe('refused, in every mode', () => {
  test.each<[name: string, result: unknown, description: string]>([
    ['undefined', undefined, INACTIVE],
    ['null', null, INACTIVE],
    ['an expired token', { ...good, expiresAt: 1 }, 'The token has expired'],
    ['another resource', { ...good, resource: 'https://other.example/mcp' }, 'The token is meant for another audience'],
    [
      'another resource as a URL',
      { ...good, resource: new URL('https://mcp.example/') },
      'The token is meant for another audience',
    ],
  ])('%s', async (_name, result, description) => {
    expectInvalidToken(await createAppInEveryMode({ verifiers: [() => result] }).send(TOKEN), description);
  });

  test('without a required scope', async () => {
    expect((await setUp(() => good, { requiredScopes: ['write'] }).send(TOKEN)).status).toBe(403);
  });
});

describe('a failure of the function is 503, and never 401', () => {
  const unreadable = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('unreadable');
    },
  });
  test.each<[name: string, verifier: (token: string) => unknown, reason: string]>([
    [
      'it throws',
      (token) => {
        throw new Error(`cannot fetch ?access_token=${token}`);
      },
      'cannot fetch ?access_token=…',
    ],
    ['it rejects', async (token) => Promise.reject(new Error(`no ${encodeURIComponent(token)}`)), 'no …'],
    ['it rejects with undefined', async () => Promise.reject(), 'verifiers[0] failed'],
    [
      'it throws an unreadable error',
      () => {
        throw unreadable;
      },
      'verifiers[0] failed',
    ],
    ['it returns true', () => true, 'it returned neither an object nor undefined'],
    ['it returns false', () => false, 'it returned neither an object nor undefined'],
    ['it returns a list', () => [good], 'it returned neither an object nor undefined'],
    ['it returns no scopes', () => ({ subject: 'alice' }), 'it returned no \\"scopes\\", a list of texts'],
    ['it returns scopes as text', () => ({ ...good, scopes: 'read' }), 'it returned no \\"scopes\\", a list of texts'],
    [
      'it returns a subject that is a number',
      () => ({ ...good, subject: 7 }),
      'it returned a \\"subject\\" that is no text',
    ],
    [
      'it returns a client that is a number',
      () => ({ ...good, clientId: 7 }),
      'it returned a \\"clientId\\" that is no text',
    ],
    [
      'it returns an issuer that is a list',
      () => ({ ...good, issuer: [] }),
      'it returned a \\"issuer\\" that is no text',
    ],
    [
      'it returns a date',
      () => ({ ...good, expiresAt: new Date() }),
      'it returned an \\"expiresAt\\" that is no number',
    ],
    [
      'it returns milliseconds',
      () => ({ ...good, expiresAt: Date.now() + 60_000 }),
      'it returned an \\"expiresAt\\" in milliseconds: divide it by 1000',
    ],
    [
      'it returns NaN as expiresAt',
      () => ({ ...good, expiresAt: Number.NaN }),
      'it returned an \\"expiresAt\\" that is no number',
    ],
    [
      'it returns a resource that is no URL',
      () => ({ ...good, resource: 'mcp' }),
      'it returned a \\"resource\\" that is no URL',
    ],
    ['it returns extra as text', () => ({ ...good, extra: 'x' }), 'it returned an \\"extra\\" that is no object'],
    ['it returns itself in extra', () => ({ ...good, extra: { loop, more: loop.push(loop) } }), 'circular structure'],
    ['it returns a function in extra', () => ({ ...good, extra: { f: () => 1 } }), 'could not be cloned'],
  ])('%s', async (_name, verifier, reason) => {
    const token = 'token+with/characters==';
    const { lines, logger } = createRecordingLogger();
    expectOutage(await setUp(verifier, { logger }).send(token));
    expectOutage(await setUp(verifier, { mode: 'optional' }).send(token));
    expect((await setUp(verifier, { mode: 'permissive' }).send(token)).body.anonymous).toBe(true);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('failed: verifier_unavailable: A function of this server cannot check the token');
    expect(lines[0]).toContain(reason);
    expect(lines[0]).not.toContain(token);
    expect(lines[0]).not.toContain(encodeURIComponent(token));
  });

  test('it does not settle within 10 seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let answer: Promise<Response> | undefined;
    await new Promise<void>((resolve) => {
      answer = setUp(() => {
        resolve();
        return new Promise(() => undefined);
      }).send(TOKEN);
    });
    vi.advanceTimersByTime(10_001);
    vi.useRealTimers();
    expectOutage((await answer) as Response);
  });
});

describe('several', () => {
  test('are asked in their order, until one knows the token', async () => {
    const asked: string[] = [];
    const verifiers = ['a', 'b', 'c'].map((name) => (token: string) => {
      asked.push(name);
      return token.startsWith(name) ? { ...good, subject: name } : undefined;
    });
    const { send } = createProtectedApp({ verifiers });
    expect((await send('b-token')).body.subject).toBe('b');
    expect(asked).toEqual(['a', 'b']);
    expectInvalidToken(await send('d-token'), INACTIVE);
  });

  test('if one fails, the others may still accept the token, but it is not refused', async () => {
    const failing = () => Promise.reject(new Error('down'));
    const verifiers = [failing, (token: string) => (token === TOKEN ? good : undefined)];
    const { send } = createProtectedApp({ verifiers });
    expect((await send(TOKEN)).status).toBe(200);
    expectOutage(await send('another-token'));
  });

  test('follow introspection, which decides about what it knows', async () => {
    const server = await startIntrospectionServer();
    const asked: string[] = [];
    const verifiers = [
      (token: string) => {
        asked.push(token);
        return token === TOKEN ? good : undefined;
      },
    ];
    const { send } = createProtectedApp({ introspection: server.introspection, verifiers });
    expect((await send(server.issue())).status).toBe(200);
    expectInvalidToken(await send(server.issue({ aud: 'x' })), 'The token is meant for another audience');
    expect(asked).toEqual([]);
    expect((await send(TOKEN)).status).toBe(200);
    expectInvalidToken(await send('unknown'), INACTIVE);
    await server.goDown();
    expect((await send(TOKEN)).status).toBe(200);
    expectOutage(await send('unknown-2'));
  });
});

test('a function is not asked about a JWT or about what looks like a key', async () => {
  const signer = createSigner();
  const asked: string[] = [];
  const verifiers = [(token: string) => void asked.push(token)];
  const { send } = createProtectedApp({ verifiers }, signer);
  expect((await send(signer.sign(claims()))).status).toBe(200);
  for (const token of [createSigner().sign(claims()), 'a.b.c', 'emak_x', 'EMAK_x'])
    expect((await send(token)).status).toBe(401);
  expect(asked).toEqual([]);
});
