import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore, type RevokedTokens, type Store } from '../../src/index.js';
import { claims, createProtectedApp, ISSUER, type ProtectedApp } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';
import { until } from '../support/until.js';

afterEach(() => void vi.useRealTimers());

const signer = createSigner();
const now = () => Math.floor(Date.now() / 1_000);
const tokenOf = (changes: Record<string, unknown> = {}): string => signer.sign(claims(changes));
const statusOf = async (app: ProtectedApp, token: string): Promise<number> => (await app.send(token)).status;
const replica = (store: Store, more: object = {}): ProtectedApp => createProtectedApp({ store, ...more }, signer);
const revokedAt = (app: ProtectedApp, token: string): Promise<void> =>
  until(async () => (await statusOf(app, token)) === 401, 10_000);

describe('what one of two policies with a store revokes', () => {
  test.each<[string, Record<string, unknown>, (token: string) => string | RevokedTokens]>([
    ['a token', {}, (token) => token],
    ['a token that does not expire', { exp: undefined }, (token) => token],
    ['the tokens of a user', {}, () => ({ subject: 'alice' })],
    ['the tokens of a client', { client_id: 'cli' }, () => ({ client: 'cli' })],
    ['the tokens of an issuer', {}, () => ({ issuer: ISSUER })],
    [
      'the tokens of a user with one client',
      { azp: 'cli' },
      () => ({ subject: 'alice', client: 'cli', issuer: ISSUER }),
    ],
    [
      'tokens before a date',
      { iat: now() - 3_600 },
      () => ({ subject: 'alice', before: new Date(Date.now() - 1_800_000) }),
    ],
    [
      'the tokens of a user, if they do not say when they were issued',
      { iat: undefined },
      () => ({ subject: 'alice' }),
    ],
  ])('the other refuses promptly: %s', async (_case, changes, what) => {
    const store = createMemoryStore();
    const options = { jwtValidationOptions: { requiredClaims: [] } };
    const [a, b] = [replica(store, options), replica(store, options)];
    const token = tokenOf(changes);
    const other = tokenOf({ sub: 'bob', client_id: 'other', iat: now() + 3_600 });
    expect([await statusOf(a, token), await statusOf(b, token), await statusOf(b, other)]).toEqual([200, 200, 200]);
    a.auth.revoke(what(token));
    expect(await statusOf(a, token)).toBe(401);
    await revokedAt(b, token);
    expect(await statusOf(b, other)).toBe(200);
    // One that starts later knows it from the first request.
    expect(await statusOf(replica(store, options), token)).toBe(401);
  });

  test.each<[string, Record<string, unknown>, RevokedTokens]>([
    ['another user', {}, { subject: 'bob' }],
    ['another client of the same user', { client_id: 'cli' }, { subject: 'alice', client: 'other' }],
    ['a user of another issuer', {}, { subject: 'alice', issuer: 'https://other.example' }],
    ['earlier tokens', { iat: now() }, { subject: 'alice', before: new Date(Date.now() - 3_600_000) }],
    ['a name that every object has', { sub: 'toString' }, { subject: '__proto__' }],
  ])('does not concern %s', async (_case, changes, what) => {
    const app = replica(createMemoryStore());
    app.auth.revoke(what);
    expect(await statusOf(app, tokenOf(changes))).toBe(200);
  });

  test('a user can log in again after the tolerance, also where a later revocation came first', async () => {
    const app = createProtectedApp({ clockToleranceSeconds: 5 }, signer);
    app.auth.revoke({ subject: 'alice' });
    app.auth.revoke({ subject: 'alice', before: new Date(Date.now() - 3_600_000) });
    expect([await statusOf(app, tokenOf()), await statusOf(app, tokenOf({ iat: now() + 7 }))]).toEqual([401, 200]);
  });

  test('ends with keepSeconds, and not with a date that was wrong for a while', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.now() });
    const app = createProtectedApp({}, signer);
    app.auth.revoke({ subject: 'alice', keepSeconds: 60 });
    vi.setSystemTime(Date.now() + 3_600_000);
    const token = tokenOf({ iat: now() - 3_600 });
    expect(await statusOf(app, token)).toBe(401);
    vi.advanceTimersByTime(61_000);
    expect(await statusOf(app, token)).toBe(200);
  });

  test('by a function applies in its process only, and a line says so', async () => {
    const { lines, logger } = createRecordingLogger();
    const store = createMemoryStore();
    const [a, b] = [replica(store, { logger }), replica(store)];
    a.auth.revoke(({ subject }) => subject === 'alice');
    expect([await statusOf(a, tokenOf()), await statusOf(b, tokenOf())]).toEqual([401, 200]);
    expect(lines[0]).toBe(
      'warn mcpAuth(): revoke() was given a function, which other processes cannot call: it applies in this one only',
    );
  });
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'revoke() takes a token, a function, or an object with subject, client or issuer'],
  ['null', null, 'revoke() takes a token, a function, or an object with subject, client or issuer'],
  ['a list', ['alice'], 'revoke() takes a token, a function, or an object with subject, client or issuer'],
  ['no one', {}, 'revoke() needs one of subject, client and issuer'],
  ['a date alone', { before: new Date() }, 'revoke() needs one of subject, client and issuer'],
  ['a misspelt name', { subjekt: 'alice' }, 'revoke(): "subjekt" is not known. Did you mean "subject"?'],
  [
    'another name',
    { tenant: 'a' },
    'revoke(): "tenant" is not known. Known: subject, client, issuer, before, keepSeconds.',
  ],
  ['an empty name', { subject: '' }, 'revoke(): subject must be a non-empty string'],
  ['a number as the name', { client: 1 }, 'revoke(): client must be a non-empty string'],
  ['seconds as the date', { subject: 'a', before: 1_700_000_000 }, 'revoke(): before must be a Date'],
  ['a date that is none', { subject: 'a', before: new Date('x') }, 'revoke(): before must be a Date'],
  [
    'no time to keep it',
    { subject: 'a', keepSeconds: 0 },
    'revoke(): keepSeconds must be a whole number of at least 1',
  ],
])('revoke() refuses %s, since to ignore it would let tokens in', (_case, what, message) => {
  expect(() => createProtectedApp({}, signer).auth.revoke(what as never)).toThrow(new TypeError(message));
});

describe('a store that cannot be used', () => {
  const failing = (store: Store, isDown: () => boolean): Store =>
    new Proxy(store, {
      get: (target, name: keyof Store) =>
        isDown() ? () => Promise.reject(new Error('connection lost')) : target[name],
    });

  test('at the start, requests wait for the first answer or failure, and pass', async () => {
    expect(await statusOf(replica(failing(createMemoryStore(), () => true)), tokenOf())).toBe(200);
  });

  const down = (): never => {
    throw new Error("OOM command not allowed when used memory > 'maxmemory'");
  };

  test('that cannot be read still takes the revocations of this process', async () => {
    const shared = createMemoryStore();
    const [a, b] = [replica({ ...shared, since: down }), replica(shared)];
    const token = tokenOf();
    expect([await statusOf(a, tokenOf({ sub: 'bob' })), await statusOf(b, token)]).toEqual([200, 200]);
    a.auth.revoke(token);
    await revokedAt(b, token);
  });

  test.each([
    ['no JSON', '{'],
    ['a text', '"a"'],
    ['no user, client or issuer', '{"madeAt":1,"expiry":9999999999999}'],
    ['an unknown member', '{"tenant":"a","madeAt":1,"expiry":9999999999999}'],
    ['a user without a time', '{"subject":"alice","expiry":9999999999999}'],
    ['an expiry that is a text', '{"token":"a","expiry":"1"}'],
  ])('an entry with %s is passed over, and the ones after it apply', async (_case, entry) => {
    const { lines, logger } = createRecordingLogger();
    const store = createMemoryStore();
    await store.append('revocations', entry, 60_000);
    replica(store).auth.revoke({ subject: 'mallory' });
    const app = replica(store, { logger });
    expect([await statusOf(app, tokenOf()), await statusOf(app, tokenOf({ sub: 'mallory' }))]).toEqual([200, 401]);
    expect(lines[0]).toMatch(/^error mcpAuth\(\): a revocation in the store is not applied: /);
  });

  test('a cursor that never stops does not block the process', async () => {
    let n = 0;
    const since = () => {
      n += 1;
      return { entries: [], cursor: String(n) };
    };
    expect(await statusOf(replica({ ...createMemoryStore(), since }), tokenOf())).toBe(200);
    expect(n).toBeLessThanOrEqual(1_000);
  });
});

test('what a store holds of a token is a hash', () => {
  const entries: string[] = [];
  const store: Store = { ...createMemoryStore(), append: (_list, entry) => void entries.push(entry) };
  const token = tokenOf();
  replica(store).auth.revoke(token);
  expect(entries).toHaveLength(1);
  for (const part of token.split('.')) expect(entries[0]).not.toContain(part);
});
