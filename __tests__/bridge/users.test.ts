import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { McpStdioBackendOptions } from '../../src/bridge/mcp-stdio-backend.js';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { eventsOf, messagesOf, nextMessage } from '../support/mcp-answers.js';
import { call, callText, type Headers, initialize, open, post, statelessText } from '../support/mcp-requests.js';
import { FRAMEWORKS, type Served, serve } from '../support/stdio-bridge.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };
const ANONYMOUS: Headers = {};

describe('a session belongs to the user whose token opened it', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served.stop());

  const others: [string, Headers, Headers][] = [
    ['another user', ADA, BOB],
    ['the same user through another client', ADA, { authorization: 'Bearer ada@another' }],
    ['an anonymous caller', ADA, ANONYMOUS],
    ['a user, where it is anonymous', ANONYMOUS, ADA],
  ];
  test.each(others)('%s gets the 404 of an unknown id, on every verb', async (_name, owner, other) => {
    const { url } = served;
    const id = (await open(url, owner))['mcp-session-id'] as string;
    const answers = async (session: string): Promise<[number, string][]> => {
      const headers = { ...other, 'mcp-session-id': session, accept: 'application/json, text/event-stream' };
      const responses = await Promise.all([
        post(url, call(1, 'pid'), headers),
        post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers),
        post(url, initialize(), headers),
        fetch(url, { headers }),
        fetch(url, { headers: { ...headers, 'last-event-id': '1-1' } }),
        fetch(url, { method: 'DELETE', headers }),
      ]);
      return Promise.all(
        responses.map(async (response) => [response.status, await response.text()] as [number, string]),
      );
    };
    const foreign = await answers(id);
    expect(foreign).toEqual(await answers('00000000-0000-4000-8000-000000000000'));
    expect(new Set(foreign.map(([status]) => status))).toEqual(new Set([404]));
    expect(await callText(url, { ...owner, 'mcp-session-id': id }, 'echo')).toBe('{}');
  });

  test('another mount does not know it', async () => {
    const other = await serve();
    const session = await open(served.url, ADA);
    expect((await post(other.url, call(1, 'pid'), session)).status).toBe(404);
    await other.stop();
  });

  test.each(FRAMEWORKS)('a path below its mount, or in other capitals, is the same mount on %s', async (framework) => {
    const own = await serve({ env: { STATELESS: '1' } }, framework);
    const session = await open(own.url, ADA);
    const paths = ['', '/', '/a', '/b?x=1', '?x=1', '/mcp', '/mcp/mcp'];
    const urls = paths.map((path) => `${own.url}${path}`).concat(own.url.replace('/mcp', '/MCP'));
    for (const url of urls) expect((await post(url, call(1, 'pid'), session)).status).toBe(200);
    const pids = await Promise.all(urls.map((url) => statelessText(url, 'pid', {}, ADA)));
    expect(new Set(pids).size).toBe(1);
    await own.stop();
  });

  test('no session gets messages of another, although all ids are equal', async () => {
    const { url } = served;
    const sessions = await Promise.all([open(url, ADA), open(url, BOB), open(url, ADA)]);
    const streams = await Promise.all(
      sessions.map((session) => fetch(url, { headers: { ...session, accept: 'text/event-stream' } })),
    );
    const pids = await Promise.all(sessions.map((session) => callText(url, session, 'pid')));
    expect(new Set(pids).size).toBe(3);
    const progress = sessions.map(async (session, index) => {
      const message = call('equal', 'progress', { steps: 3 + index }, { progressToken: 'equal' });
      return (await messagesOf(await post(url, message, session))).length;
    });
    expect(await Promise.all(progress)).toEqual([4, 5, 6]);
    await Promise.all(sessions.map((session) => callText(url, session, 'late')));
    for (const [index, stream] of streams.entries()) {
      const events = eventsOf(stream);
      expect(await nextMessage(events)).toMatchObject({ params: { data: `late from ${pids[index]}` } });
      expect(await nextMessage(events)).toMatchObject({ method: 'notifications/tools/list_changed' });
      await callText(url, sessions[index] as Headers, 'late');
      expect(await nextMessage(events)).toMatchObject({ params: { data: `late from ${pids[index]}` } });
    }
  });
});

describe('nothing secret', () => {
  test('is logged: no token, no body', async () => {
    const lines: string[] = [];
    const note = (line: string): void => void lines.push(line);
    const logger = { debug: note, info: note, warn: note, error: note };
    const { url, stop } = await serve({ logger });
    const session = await open(url, ADA);
    await callText(url, session, 'stderr', { lines: 3, secret: 'body-secret' });
    await post(url, '{"secret":"body-secret"', session);
    await post(url, call(1, 'crash', { secret: 'body-secret' }), session);
    await stop();
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join('\n')).not.toMatch(/secret/);
  });
});

describe('what the child learns about its caller', () => {
  const nameOf = (auth: AuthInfo | undefined): string => String(auth?.payload.sub ?? 'anonymous');

  test('is what env() returns, for each session, and never the token', async () => {
    const { url, stop } = await serve({ env: (auth) => ({ CALLER: nameOf(auth) }) });
    for (const [headers, name] of [
      [ADA, 'ada'],
      [BOB, 'bob'],
      [ANONYMOUS, 'anonymous'],
    ] as const) {
      const session = await open(url, headers);
      const env = await callText(url, session, 'env');
      expect(JSON.parse(env).CALLER).toBe(name);
      expect(env).not.toContain('secret-token');
      expect(await callText(url, session, 'raw')).not.toContain('secret-token');
    }
    await stop();
  });

  test('is what requestMeta() returns, with each request, whatever the client sends under those keys', async () => {
    const meta = (auth: AuthInfo | undefined) => ({ 'example.com/user': auth && nameOf(auth), 'example.com/n': 1 });
    const { url, stop } = await serve({
      requestMeta: meta,
      allowedClientMeta: ['example.com/other'],
      env: { STATELESS: '1' },
    });
    const claims = { 'example.com/user': 'root', 'example.com/other': 2 };
    const ada = await open(url, ADA);
    expect(JSON.parse(await callText(url, ada, 'meta', {}, claims))).toEqual({
      'example.com/other': 2,
      'example.com/user': 'ada',
      'example.com/n': 1,
    });
    const capitals = { 'Example.com/User': 'root' };
    expect(JSON.parse(await callText(url, ada, 'meta', {}, capitals))).not.toHaveProperty(['Example.com/User']);
    expect((await post(url, call(1, 'meta', {}, { ...claims, ...capitals }), ada)).status).toBe(400);
    expect(JSON.parse(await callText(url, ada, 'meta'))).toEqual({ 'example.com/user': 'ada', 'example.com/n': 1 });
    const anonymous = await open(url);
    expect(JSON.parse(await callText(url, anonymous, 'meta', {}, claims))).toEqual({
      'example.com/other': 2,
      'example.com/n': 1,
    });
    const withoutSession = JSON.parse(await statelessText(url, 'meta', {}, BOB, { ...claims, progressToken: 'p' }));
    expect(withoutSession).toMatchObject({ 'example.com/user': 'bob', 'example.com/n': 1, 'example.com/other': 2 });
    await stop();
  });

  test('a callback that does not return a plain object fails the request and starts nothing', async () => {
    const wrong: [string, () => unknown][] = [
      ['nothing', () => undefined],
      ['a Map', () => new Map([['example.com/user', 'ada']])],
      ['a list', () => ['ada']],
      ['a text', () => 'ada'],
    ];
    for (const [, callback] of wrong) {
      for (const options of [{ env: callback }, { requestMeta: callback }]) {
        const { url, backend, errors, stop } = await serve(options as Partial<McpStdioBackendOptions>);
        expect((await post(url, initialize())).status).toBe(500);
        expect(errors).toEqual([expect.objectContaining({ code: 'invalid_configuration' })]);
        expect(backend.stats()).toMatchObject({ sessions: 0, children: 0 });
        await stop();
      }
    }
  });

  test.each<[string, () => unknown, RegExp]>([
    ['a promise of a list', async () => ['ada'], /"requestMeta\(\)" must be a plain object/],
    ['a promise that fails', () => Promise.reject(new Error('no such user')), /no such user/],
  ])('requestMeta() that returns %s fails the request and starts nothing', async (_what, requestMeta, message) => {
    const { url, backend, errors, stop } = await serve({ requestMeta } as Partial<McpStdioBackendOptions>);
    expect((await post(url, initialize())).status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringMatching(message) })]);
    expect(backend.stats()).toMatchObject({ sessions: 0, children: 0 });
    await stop();
  });

  test('requestMeta() may look up what it returns, for each request', async () => {
    const later = async (auth: AuthInfo | undefined) => ({ 'example.com/user': auth && nameOf(auth) });
    const { url, stop } = await serve({ requestMeta: later, env: { STATELESS: '1' } });
    const claims = { 'example.com/user': 'root' };
    const session = await open(url, ADA);
    expect(JSON.parse(await callText(url, session, 'meta', {}, claims))).toEqual({ 'example.com/user': 'ada' });
    const withoutSession = JSON.parse(await statelessText(url, 'meta', {}, BOB, claims));
    expect(withoutSession).toMatchObject({ 'example.com/user': 'bob' });
    await stop();
  });

  test('a callback that throws fails the request and starts nothing', async () => {
    const fail = (): never => {
      throw new Error('no such user');
    };
    for (const options of [
      { env: fail },
      { requestMeta: fail },
      { env: () => ({ A: 'b\0c' }) },
      { env: () => ({ 'A=B': 'c' }) },
    ]) {
      const { url, backend, errors, stop } = await serve(options);
      expect((await post(url, initialize())).status).toBe(500);
      expect(errors).toHaveLength(1);
      expect(backend.stats()).toMatchObject({ sessions: 0, children: 0 });
      await stop();
    }
  });
});
