import { describe, expect, test } from 'vitest';
import { openSession, serveAdminApp } from '../support/admin-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { until } from '../support/until.js';

const ROUTE = '/mcp';

describe('api/state', () => {
  test('describes routes, targets, health, numbers, and what the page can do', async () => {
    const { get, origin, issuer } = await serveAdminApp();
    await openSession(`${origin}/mcp`, issuer.token());
    const { status, body } = await get('api/state');
    expect(status).toBe(200);
    expect(body).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      startedAt: expect.any(Number),
      routes: [
        {
          id: ROUTE,
          name: ROUTE,
          url: `${origin}/mcp`,
          mode: 'strict',
          authenticates: true,
          targets: [{ name: process.execPath, kind: 'stdio', description: process.execPath }],
          health: { ready: true, problems: [] },
          stats: { sessions: 1, pending: 0, connections: 1, restarts: 0 },
        },
      ],
      can: { revoke: true, endSessions: true, callTools: true, doctor: true, developmentToken: false },
    });
  });

  test('without auth and backends there is nothing to do', async () => {
    const { get, post } = await serveAdminApp({ options: { auth: undefined, backends: {} } });
    expect((await get('api/state')).body).toMatchObject({
      routes: [],
      can: { revoke: false, endSessions: false, callTools: false, doctor: false, developmentToken: false },
    });
    expect(await post('api/revoke', { user: 'alice', issuer: 'x' })).toMatchObject({
      status: 409,
      body: { error: 'no_revocation', error_description: expect.stringContaining('give mcpAdmin() the option auth') },
    });
  });

  test('with auth alone, the server in this process is a route', async () => {
    const { get, origin } = await serveAdminApp({ options: { backends: undefined } });
    const { routes } = (await get('api/state')).body;
    expect(routes).toMatchObject([{ id: '/mcp', url: `${origin}/mcp`, targets: [{ kind: 'in-process' }] }]);
  });
});

describe('api/events', () => {
  test('sends calls and decisions as they happen, with the documentation of a refusal', async () => {
    const { events, origin, issuer } = await serveAdminApp();
    const stream = await events();
    const { call } = await openSession(`${origin}/mcp`, issuer.token({ sub: 'alice' }));
    await call('tools/call', { name: 'echo', arguments: { message: 'a secret argument' } });
    const isCall = ({ method }: Record<string, unknown>) => method === 'tools/call';
    const record = await stream.next('call', isCall);
    expect(record).toMatchObject({
      id: expect.any(Number),
      user: 'alice',
      name: 'echo',
      outcome: 'answered',
      route: '/mcp',
    });
    await fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${issuer.expiredToken()}` } });
    const decision = await stream.next('decision', ({ outcome }) => outcome === 'refused');
    expect(decision).toMatchObject({
      id: expect.any(Number),
      time: expect.any(Number),
      code: 'token_expired',
      text: 'Refused the request: The token has expired',
      help: { anchor: 'token_expired', text: expect.stringContaining('**Fix:**') },
    });
    expect(decision.strict).toBeUndefined();
    expect(await stream.next('numbers')).toMatchObject({ calls: expect.any(Number), sessions: 1, pending: 0 });
  });

  test('a page that connects later gets what was before, without the id of the session', async () => {
    const { events, get, origin, issuer } = await serveAdminApp();
    const { id } = await openSession(`${origin}/mcp`, issuer.token());
    const record = await (await events()).next('call', ({ method }) => method === 'initialize');
    const [{ id: handle }] = (await get('api/sessions')).body;
    expect(record.session).toBe(handle);
    expect(handle).not.toContain(id);
  });

  test('says what strict mode would have answered', async () => {
    const { events, origin, issuer } = await serveAdminApp({ policy: { mode: 'permissive' } });
    const stream = await events();
    await fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${issuer.forgedToken()}` } });
    expect(await stream.next('decision', ({ outcome }) => outcome === 'would_refuse')).toMatchObject({
      strict: 'Strict mode would answer 401: The token has an invalid signature',
    });
    await fetch(`${origin}/mcp`);
    expect(await stream.next('decision', ({ code }) => code === 'missing_token')).toMatchObject({
      strict: 'Strict mode would answer 401: JWT token required',
    });
  });

  test('end with close(), and are refused after it', async () => {
    const { events, get, admin } = await serveAdminApp();
    const stream = await events();
    await stream.next('server');
    admin.close();
    expect(await stream.rest()).toBe('');
    expect((await get('api/events')).status).toBe(503);
  });
});

describe('sessions', () => {
  test('are listed with their user and client, and end at once', async () => {
    const { get, post, origin, issuer } = await serveAdminApp();
    const { call } = await openSession(`${origin}/mcp`, issuer.token({ sub: 'alice', clientId: 'editor' }));
    const { body } = await get('api/sessions');
    expect(body).toEqual([
      {
        id: expect.stringMatching(/^[\w-]{22}$/),
        route: ROUTE,
        user: 'alice',
        issuer: issuer.issuer,
        client: 'editor',
        openedAt: expect.any(Number),
        lastUsedAt: expect.any(Number),
        inUse: false,
      },
    ]);
    expect(Math.abs(body[0].lastUsedAt - Date.now())).toBeLessThan(60_000);
    expect((await call('tools/list'))[0]).toBe(200);
    expect(await post('api/sessions/end', { id: body[0].id })).toMatchObject({ status: 200, body: { ended: true } });
    expect((await get('api/sessions')).body).toEqual([]);
    expect((await call('tools/list'))[0]).toBe(404);
    expect(await post('api/sessions/end', { id: body[0].id })).toMatchObject({
      status: 404,
      body: { error: 'unknown_session' },
    });
  });
});

describe('api/revoke', () => {
  test.each([
    ['a user', { user: 'alice' }],
    ['a client', { client: 'editor' }],
  ])('refuses the tokens of %s from then on, and says until when', async (_who, what) => {
    const { post, origin, issuer } = await serveAdminApp();
    const headers = { authorization: `Bearer ${issuer.token({ sub: 'alice', clientId: 'editor' })}` };
    expect((await fetch(`${origin}/mcp`, { headers })).status).not.toBe(401);
    const { status, body } = await post('api/revoke', { ...what, issuer: issuer.issuer });
    expect([status, body]).toEqual([200, { revoked: true, until: expect.any(Number), untilRestart: true }]);
    expect((body.until - Date.now()) / 86_400_000).toBeCloseTo(90, 1);
    expect((await fetch(`${origin}/mcp`, { headers })).status).toBe(401);
    const other = { authorization: `Bearer ${issuer.token({ sub: 'bob', clientId: 'other' })}` };
    expect((await fetch(`${origin}/mcp`, { headers: other })).status).not.toBe(401);
  });

  test.each([
    ['neither a user nor a client', { issuer: 'x' }],
    ['both', { user: 'a', client: 'b', issuer: 'x' }],
    ['a user that is no text', { user: 1, issuer: 'x' }],
    ['a user whose name the page has shortened', { user: `${'x'.repeat(300)}…`, issuer: 'x' }],
    ['an issuer whose name the page has shortened', { client: 'a', issuer: `${'x'.repeat(300)}…` }],
  ])('answers 400 to %s', async (_what, body) => {
    const { post } = await serveAdminApp();
    expect(await post('api/revoke', body)).toMatchObject({ status: 400, body: { error: 'invalid_body' } });
  });
});

describe('api/doctor', () => {
  test('gives the findings of the doctor', async () => {
    const { post, origin } = await serveAdminApp();
    const { status, body } = await post('api/doctor', { route: ROUTE });
    expect(status).toBe(200);
    expect(body.findings).toContainEqual({ level: 'ok', text: 'answer without a token: 401' });
    expect(JSON.stringify(body.findings)).toContain(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(await post('api/doctor', { route: 'other' })).toMatchObject({
      status: 404,
      body: { error: 'unknown_route' },
    });
  });

  test('says what is missing without a resource', async () => {
    const { post } = await serveAdminApp({ options: { auth: undefined } });
    expect(await post('api/doctor', { route: ROUTE })).toMatchObject({ status: 409, body: { error: 'no_address' } });
  });
});

describe('api/tools', () => {
  test('lists and calls tools with the token of the request, and keeps no session', async () => {
    const { lines, logger } = createRecordingLogger();
    const { get, post, issuer } = await serveAdminApp({ logger });
    const token = issuer.token({ sub: 'alice' });
    const listed = await post('api/tools', { route: ROUTE, token });
    expect(listed).toMatchObject({ status: 200 });
    expect(listed.body.tools).toEqual([
      { name: 'echo', description: 'echo', inputSchema: expect.any(Object) },
      { name: 'delete_file', description: 'delete_file', inputSchema: expect.any(Object) },
    ]);
    const called = await post('api/tools/call', { route: ROUTE, token, name: 'echo', arguments: {} });
    expect(called.body).toEqual({ result: { content: [{ type: 'text', text: 'echo for anonymous' }] } });
    await until(async () => (await get('api/sessions')).body.length === 0);
    expect(lines.join('\n')).not.toContain(token);
  });

  test('gives the error of the MCP server', async () => {
    const { post, issuer } = await serveAdminApp();
    const { body } = await post('api/tools/call', {
      route: ROUTE,
      token: issuer.token(),
      name: 'other',
      arguments: {},
    });
    expect(JSON.stringify(body)).toContain('Tool other not found');
  });

  test.each([
    ['no token', {}, 502, 'The route answered 401: unauthorized: JWT token required'],
    [
      'a token that is refused',
      { token: 'a.b.c' },
      502,
      'The route answered 401: invalid_token: The token is not a well-formed JWT',
    ],
    [
      'a header in place of a token',
      { token: 'Bearer x\r\ny: z' },
      400,
      '"token" must be a token alone, without "Bearer" and without white space',
    ],
    [
      'a development token without a development issuer',
      { developmentToken: true },
      409,
      'No development issuer makes tokens for this route: start the command with --dev-issuer',
    ],
    ['arguments that are no object', { name: 'echo', arguments: [] }, 400, '"arguments" must be an object'],
  ])('refuses %s', async (_what, more, status, description) => {
    const { post } = await serveAdminApp();
    const answer = await post('api/tools/call', { route: ROUTE, name: 'echo', ...more });
    expect([answer.status, answer.body.error_description]).toEqual([status, description]);
  });
});
