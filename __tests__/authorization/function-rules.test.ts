import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Middleware, ScopeRules } from '../../src/index.js';
import { METADATA_URL, parseChallenge } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createRuledApp } from '../support/ruled-app.js';
import { callTool, createScopedApp } from '../support/scoped-app.js';
import { collectUncaught } from '../support/uncaught-errors.js';

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
    error_description: 'The caller may not do this, whatever its scopes',
    resource_metadata: METADATA_URL,
  });
  expect(response.body.error_description).toBe('The caller may not use the tool t');
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

const throwing = (thrown: unknown) => () => {
  throw thrown;
};
const unreadable: [what: string, thrown: unknown][] = [
  ...[null, undefined, new Error('inspected')].map((thrown): (typeof unreadable)[number] => [
    `a value that throws ${thrown} when it is inspected`,
    { [inspect.custom]: throwing(thrown) },
  ]),
  ['an error whose message cannot be read', Object.defineProperty(new Error(), 'message', { get: throwing('x') })],
  ['an error whose message is a symbol', Object.assign(new Error(), { message: Symbol('x') })],
  ['a revoked proxy', revokedProxy()],
];

/** A server that answers in a timer, where an exception ends the process. */
function listLater(...names: readonly string[]): Middleware {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: names.map((name) => ({ name })) } });
  return (req, res) => {
    req.resume();
    setTimeout(() => res.setHeader('content-type', 'application/json').end(body), 5);
  };
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe.each(unreadable)('%s', (_what, thrown) => {
  test.each<[how: string, rule: () => boolean]>([
    ['throws', throwing(thrown) as never],
    ['returns', () => thrown as boolean],
  ])('denies the call whose rule %s it', async (_how, rule) => {
    const { post, received } = createScopedApp({ 'tools/call': rule });
    expect((await post(callTool('t'))).status).toBe(403);
    expect(received).toEqual([]);
  });

  test('is hidden from a list that the server answers later, and ends no process', async () => {
    const errors = collectUncaught();
    const { logger, lines } = createRecordingLogger();
    const rules: ScopeRules = { 'tools/call': { t: throwing(thrown) as never } };
    const { post } = createScopedApp(rules, { options: { hide: true, logger }, after: [listLater('t', 'u')] });
    const { body } = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(body.result).toEqual({ tools: [{ name: 'u' }] });
    expect(errors).toEqual([]);
    expect(lines.some((line) => line.includes('the rule for the tool t threw'))).toBe(true);
  });
});

test('a backend that throws hides an entry of a list, and the process goes on', async () => {
  const errors = collectUncaught();
  const { logger, lines } = createRecordingLogger();
  const resolve = (_kind: string, name: string) => {
    if (name === 'a') throw new Error('no directory');
    return { target: 'one', name };
  };
  const { post } = createRuledApp({ rules: ['true'], backend: { resolve }, logger }, { after: [listLater('a', 'b')] });
  expect((await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).body.result).toEqual({ tools: [{ name: 'b' }] });
  expect(errors).toEqual([]);
  expect(lines).toContain(
    'error mcpAuthorization(): an entry of a list is hidden, because the decision on it failed: Error: no directory',
  );
});

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
