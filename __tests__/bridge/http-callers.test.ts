import { describe, expect, test } from 'vitest';
import type { McpHttpBackendOptions } from '../../src/index.js';
import { serveRemote } from '../support/http-backend.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

type CallerFunction = Extract<McpHttpBackendOptions['headers'], (...args: never[]) => unknown>;

/** Not every promise is a `Promise`. */
function thenable(value: object): never {
  return Object.defineProperty({}, 'then', { value: (resolve: (made: object) => void) => resolve(value) }) as never;
}

const throwing = (thrown: unknown) => (): never => {
  throw thrown;
};

describe('headers that say who is calling', () => {
  test.each<[string, CallerFunction]>([
    ['at once', (auth, req) => ({ 'X-User': auth?.subject ?? 'anonymous', 'x-path': req.url })],
    ['as a promise', async (auth, req) => ({ 'X-User': auth?.subject ?? 'anonymous', 'x-path': req.url })],
    ['as something with then', (auth, req) => thenable({ 'x-user': auth?.subject ?? 'anonymous', 'x-path': req.url })],
  ])('are made for each request: %s', async (_name, headers) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { headers }, { policy: { mode: 'optional' } });
    await Promise.all([
      post(remote.url, call('of ada', 'x'), { ...remote.bearer('ada'), 'x-user': 'root' }),
      post(`${remote.url}?a=b`, call('of bob', 'x'), remote.bearer('bob')),
      post(remote.url, call('of no user', 'x'), { 'x-user': 'root' }),
    ]);
    const seen = target.arrived.map(({ body, headers: { 'x-user': user, 'x-path': path } }) => [
      JSON.parse(body).id,
      user,
      path,
    ]);
    expect(seen.toSorted()).toEqual([
      ['of ada', 'ada', '/'],
      ['of bob', 'bob', '/?a=b'],
      ['of no user', 'anonymous', '/'],
    ]);
  });

  const unreadable = new Proxy(new Error(), {
    get() {
      throw new Error('not to be read');
    },
  });
  test.each<[string, () => unknown]>([
    ['throws', throwing(new Error('of the application'))],
    ['throws undefined', throwing(undefined)],
    ['throws what cannot be read', throwing(unreadable)],
    ['rejects', () => Promise.reject(new Error('of the application'))],
    ['rejects with undefined', () => Promise.reject()],
    ['returns nothing', () => undefined],
    ['returns null', () => null],
    ['returns a text', () => 'x-user: ada'],
    ['returns a list', () => [['x-user', 'ada']]],
    ['returns a Map', () => new Map([['x-user', 'ada']])],
    ['returns Headers', () => new Headers({ 'x-user': 'ada' })],
    ['returns a number', () => ({ 'x-user': 7 })],
    ['returns null as a value', () => ({ 'x-user': null })],
    ['returns a list as a value', () => ({ 'x-user': ['ada'] })],
    ['returns a line end', () => ({ 'x-user': 'ada\r\nx-admin: true' })],
    ['returns a NUL', () => ({ 'x-user': 'ada\0' })],
    ['returns characters beyond Latin 1', () => ({ 'x-user': 'Łukasz' })],
    ['returns a name with a line end', () => ({ 'x-user: a\r\nx-b': 'c' })],
    ['returns an empty name', () => ({ '': 'c' })],
    ['returns a name of the connection', () => ({ 'Content-Length': '0' })],
    ['returns the session id', () => ({ 'Mcp-Session-Id': 'session-1' })],
    ['returns a name twice', () => ({ 'X-User': 'ada', 'x-user': 'bob' })],
    ['returns a name in two spellings', () => ({ 'x-user': 'ada', x_user: 'bob' })],
    ['returns what bearer sets', () => ({ Authorization: 'Bearer x' })],
  ])('a function that %s: 502, a line in the log, and nothing sent', async (_name, headers) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { headers: headers as never, bearer: 'secret' });
    const response = await post(remote.url, call(1, 'x'), remote.bearer('ada'));
    expect([response.status, await reasonOf(response)]).toEqual([502, 'caller_headers_failed']);
    expect(target.bytes()).toBe('');
    const [line = '', ...others] = remote.lines.filter((text) => text.includes('mcpHttpBackend()'));
    expect(line).toMatch(/^error mcpHttpBackend\(\): a request is answered 502 \(caller_headers_failed\): \w+: /);
    expect(line).not.toMatch(/secret|x-admin/);
    expect(others).toEqual([]);
    expect(remote.errors).toEqual([]);
  });

  test('a function that always fails: one line a minute, short and printable', async () => {
    const target = await startRecordingTarget();
    const message = `of\u001b[2J the\napplication\u202e${'x'.repeat(10_000)}`;
    const failure = Object.assign(new Error(message), { name: `Failure\n${'y'.repeat(10_000)}` });
    const remote = await serveRemote(target.url, { headers: throwing(failure) });
    for (let i = 0; i < 3; i++) await post(remote.url, call(i, 'x'), remote.bearer('ada'));
    const [line = '', ...others] = remote.lines.filter((text) => text.includes('caller_headers_failed'));
    expect(others).toEqual([]);
    expect(line).toContain('of\\u001b[2J the\\u000aapplication\\u202e');
    expect(line).toMatch(/^\P{C}{100,600}$/u);
  });

  test('a token that is withdrawn while they are made: 401, and nothing sent', async () => {
    const target = await startRecordingTarget();
    let withdraw = (): void => undefined;
    const headers = async () => {
      withdraw();
      return {};
    };
    const remote = await serveRemote(target.url, { headers });
    withdraw = () => remote.auth.revoke(() => true);
    const response = await post(remote.url, call(1, 'x'), remote.bearer('ada'));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(target.bytes()).toBe('');
  });

  test('those of the last request end a session', async () => {
    const target = await startRecordingTarget();
    let count = 0;
    const remote = await serveRemote(target.url, { headers: () => ({ 'x-count': String(++count) }) });
    const ada = await open(remote.url, remote.bearer('ada'));
    await post(remote.url, call(1, 'x'), ada);
    await remote.backend.close();
    expect(target.arrived.map(({ method, headers }) => [method, headers['x-count']])).toEqual([
      ['POST', '1'],
      ['POST', '2'],
      ['DELETE', '2'],
    ]);
  });
});
