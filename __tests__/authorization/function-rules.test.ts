import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { ScopeRules } from '../../src/index.js';
import { METADATA_URL, parseChallenge } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { callTool, createScopedApp } from '../support/scoped-app.js';

const answers: [what: string, answer: unknown, status: number, error?: string][] = [
  ['true', true, 200],
  ['false', false, 403, 'access_denied'],
  ['scopes that the caller has', ['a'], 200],
  ['scopes that the caller lacks', ['a', 'b'], 403, 'insufficient_scope'],
  ['nothing', undefined, 403, 'access_denied'],
  ['an empty list', [], 403, 'access_denied'],
  ['a promise', Promise.resolve(true), 403, 'access_denied'],
  ['a number', 1, 403, 'access_denied'],
  ['a string', 'a', 403, 'access_denied'],
  ['a list of something else', [1], 403, 'access_denied'],
  ['scopes that would break the header', ['a"\r\nx'], 403, 'access_denied'],
];

test.each(answers)('the answer to a call whose rule returns %s', async (_what, answer, status, error) => {
  const { post, received } = createScopedApp({ 'tools/call': () => answer as boolean });
  const response = await post(callTool('t'), ['a']);
  expect(response.status).toBe(status);
  expect(received.length).toBe(status === 200 ? 1 : 0);
  if (error !== undefined) expect(parseChallenge(response.headers['www-authenticate']).error).toBe(error);
});

test('a rule sees the caller and the call', async () => {
  const seen: unknown[] = [];
  const { post } = createScopedApp({
    'tools/call': {
      t: (auth, call) => {
        seen.push([auth?.payload.sub, call.method, call.target, call.params]);
        return true;
      },
    },
  });
  await post(callTool('t'));
  expect(seen).toEqual([['alice', 'tools/call', 't', { name: 't', arguments: { path: '/tmp' } }]]);
});

test('a rule that throws denies the call and is logged, and the refusal names no scopes', async () => {
  const { logger, lines } = createRecordingLogger();
  const rules: ScopeRules = {
    'tools/call': {
      t: () => {
        throw new Error('no database');
      },
    },
  };
  const { post, received } = createScopedApp(rules, { options: { logger } });
  const response = await post(callTool('t'));
  expect(response.status).toBe(403);
  expect(parseChallenge(response.headers['www-authenticate'])).toEqual({
    scheme: 'Bearer',
    error: 'access_denied',
    error_description: 'The caller may not use the tool t',
    resource_metadata: METADATA_URL,
  });
  expect(received).toEqual([]);
  expect(lines.join('\n')).toContain('mcpScopes(): the rule for the tool t threw, so the call is denied: no database');
});

test.each<[what: string, thrown: unknown, said: string]>([
  ['null', null, 'null'],
  ['nothing', undefined, 'undefined'],
  ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
])('a rule that throws %s denies too', async (_what, thrown, said) => {
  const { logger, lines } = createRecordingLogger();
  const rules: ScopeRules = {
    'tools/call': () => {
      throw thrown;
    },
  };
  const { post, received } = createScopedApp(rules, { options: { logger } });
  expect((await post(callTool('t'))).status).toBe(403);
  expect(received).toEqual([]);
  expect(lines.join('\n')).toContain(`threw, so the call is denied: ${said}`);
});

test('a rejected promise denies, and does not end the process', async () => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', listen);
  onTestFinished(() => void process.off('unhandledRejection', listen));
  const rule = async () => {
    throw new Error('no database');
  };
  const { post, received } = createScopedApp({ 'tools/call': rule as never });
  expect((await post(callTool('t'))).status).toBe(403);
  expect(received).toEqual([]);
  expect(unhandled).toEqual([]);
});

test.each([null, undefined])(
  'a rule that throws a value which throws %s when it is inspected is answered 500',
  async (thrown) => {
    const unreadable = {
      [inspect.custom]: () => {
        throw thrown;
      },
    };
    const rules: ScopeRules = {
      'tools/call': () => {
        throw unreadable;
      },
    };
    const { post, received } = createScopedApp(rules);
    expect((await post(callTool('t'))).status).toBe(500);
    expect(received).toEqual([]);
  },
);

test('a denial takes precedence over a missing scope: no scope would help', async () => {
  const { post } = createScopedApp({ 'tools/call': { '*': ['b'], t: () => false } });
  const response = await post(callTool('t'));
  expect(parseChallenge(response.headers['www-authenticate']).error).toBe('access_denied');
});

test('an anonymous caller whom a rule denies is asked to log in', async () => {
  const { post } = createScopedApp({ 'tools/call': (auth) => auth !== undefined }, { policy: { mode: 'optional' } });
  expect((await post(callTool('t'), null)).status).toBe(401);
  expect((await post(callTool('t'))).status).toBe(200);
});
