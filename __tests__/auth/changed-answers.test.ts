import express from 'express';
import request from 'supertest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { withdrawalOf } from '../../src/core/token-validity.js';
import { type AuthInfo, getAuth } from '../../src/index.js';
import { makeKey } from '../support/api-keys.js';
import { passTime } from '../support/app-with-key-server.js';
import { replyJson, startIntrospectionServer } from '../support/introspection-server.js';
import { claims, createProtectedApp } from '../support/protected-app.js';
import { until } from '../support/until.js';

afterEach(() => void vi.useRealTimers());

const nowSeconds = () => Math.floor(Date.now() / 1_000);
const MINUTE_MS = 61_000;

/** The part of an answer that a test changes. */
interface Given {
  readonly subject?: string;
  readonly scopes?: readonly string[];
  readonly team?: unknown;
  readonly exp?: number;
  readonly more?: object;
}

interface Source {
  readonly policy: object;
  readonly token: string;
  readonly refusal: string;
  /** Answers later questions with this; `undefined`: the token is no longer good. */
  answer(given: Given | undefined): void;
}

const BEGUN = { subject: 'alice', scopes: ['read', 'write'], team: 'a' };

const SOURCES: Readonly<Record<string, () => Source | Promise<Source>>> = {
  async introspection() {
    const { introspection, behave } = await startIntrospectionServer();
    const answer: Source['answer'] = (given) =>
      behave((res) => {
        if (given === undefined) return replyJson(res, { active: false });
        const { subject: sub, scopes = [], team, exp = nowSeconds() + 600, more } = given;
        const scope = scopes.join(' ');
        return replyJson(res, { active: true, ...claims({ sub, scope, client_id: 'app', team, exp, ...more }) });
      });
    return { policy: { introspection }, token: 'opaque', refusal: 'inactive_token', answer };
  },
  'a verifier'() {
    let now: Given | undefined;
    const verifier = () => {
      if (now === undefined) return undefined;
      const { subject, scopes, team, exp: expiresAt = nowSeconds() + 600, more } = now;
      return { subject, clientId: 'app', scopes, expiresAt, extra: { team, ...more } };
    };
    const answer: Source['answer'] = (given) => {
      now = given;
    };
    return { policy: { verifiers: [verifier] }, token: 'opaque', refusal: 'inactive_token', answer };
  },
  'a function of API keys'() {
    let now: Given | undefined;
    const apiKeys = () => {
      if (now === undefined) return undefined;
      const { subject, scopes, team, exp = nowSeconds() + 600, more } = now;
      return { subject, scopes, claims: { team, ...more }, expires: new Date(exp * 1_000).toISOString() };
    };
    const answer: Source['answer'] = (given) => {
      now = given;
    };
    return { policy: { apiKeys }, token: makeKey().key, refusal: 'unknown_api_key', answer };
  },
};

/** Sends a request while the source answers as at the beginning. */
async function begin(source: Source) {
  const auths: (AuthInfo | undefined)[] = [];
  const { auth } = createProtectedApp({ clockToleranceSeconds: 0, ...source.policy });
  const app = express().use(auth, (req, res) => {
    auths.push(getAuth(req));
    res.end();
  });
  const send = () => request(app).get('/mcp').set('authorization', `Bearer ${source.token}`);
  source.answer(BEGUN);
  expect((await send()).status).toBe(200);
  return { auths, send };
}

const LESS: readonly (readonly [string, Given | undefined])[] = [
  ['fewer scopes', { ...BEGUN, scopes: ['read'] }],
  ['other scopes', { ...BEGUN, scopes: ['read', 'admin'] }],
  ['another subject', { ...BEGUN, subject: 'bob' }],
  ['no subject', { scopes: BEGUN.scopes, team: 'a' }],
  ['another claim', { ...BEGUN, team: 'b' }],
  ['one claim less', { subject: 'alice', scopes: BEGUN.scopes }],
  ['one claim more', { ...BEGUN, more: { suspended: true } }],
  ['an earlier expiry that is over', { ...BEGUN, exp: 1 }],
  ['nothing', undefined],
];

const ENOUGH: readonly (readonly [string, Given])[] = [
  ['the same', BEGUN],
  ['the same in another order', { ...BEGUN, scopes: ['write', 'read'] }],
  ['more scopes', { ...BEGUN, scopes: ['admin', 'write', 'read'] }],
  ['a later expiry', { ...BEGUN, exp: nowSeconds() + 9_000 }],
];

describe.each(Object.entries(SOURCES))('%s', (_name, create) => {
  test.each(LESS)('a later answer with %s ends what began, when a request brings it', async (_what, given) => {
    const source = await create();
    const { auths, send } = await begin(source);
    source.answer(given);
    await send();
    // The answer is remembered.
    expect(withdrawalOf(auths[0])).toBeUndefined();
    passTime(MINUTE_MS);
    await send();
    expect(withdrawalOf(auths[0])).toBe(source.refusal);
    // A call that began with the new answer goes on.
    if (auths.length > 2) expect(withdrawalOf(auths[2])).toBeUndefined();
  });

  test.each(LESS)('a later answer with %s ends an open stream, which brings no request', async (_what, given) => {
    const source = await create();
    const { auths } = await begin(source);
    source.answer(given);
    passTime(MINUTE_MS);
    await until(() => withdrawalOf(auths[0]) === source.refusal, 3_000);
  });

  test.each(ENOUGH)('a later answer with %s ends nothing', async (_what, given) => {
    const source = await create();
    const { auths, send } = await begin(source);
    source.answer(given);
    passTime(MINUTE_MS);
    expect((await send()).status).toBe(200);
    expect(auths[1]).not.toBe(auths[0]);
    expect(auths.map(withdrawalOf)).toEqual([undefined, undefined]);
  });
});

test('the times and the id in each answer of introspection may differ', async () => {
  const source = (await SOURCES.introspection?.()) as Source;
  const { auths, send } = await begin(source);
  source.answer({
    ...BEGUN,
    more: { iat: 7, nbf: 8, jti: 'another', expires_in: 9, auth_time: 3, updated_at: '2026-11-30' },
  });
  passTime(MINUTE_MS);
  expect((await send()).status).toBe(200);
  expect(auths.map(withdrawalOf)).toEqual([undefined, undefined]);
});

test('an answer that was pushed out of the memory still ends what it began', async () => {
  const source = (await SOURCES.introspection?.()) as Source;
  const { introspection } = source.policy as { introspection: object };
  const { auths } = await begin({ ...source, policy: { introspection: { ...introspection, maxBytes: 1 } } });
  source.answer({ ...BEGUN, scopes: ['read'] });
  passTime(MINUTE_MS);
  await until(() => withdrawalOf(auths[0]) === source.refusal, 3_000);
});
