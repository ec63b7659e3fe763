import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { IDENTITY_KINDS, type IdentityKindName, logIn, refresh, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE } from '../support/identity-logins.js';
import { initialize, post } from '../support/mcp-requests.js';

const NAMES = Object.keys(IDENTITY_KINDS) as IdentityKindName[];

const send =
  (status: number, body: string, type = 'application/json') =>
  (res: ServerResponse) =>
    res.writeHead(status, { 'content-type': type }).end(body);

/** Answers that say nothing about the login, with the status that the client gets. */
const FAULTS: readonly (readonly [string, number, (res: ServerResponse) => void])[] = [
  ['500', 503, send(500, '{"error":"server_error"}')],
  ['503 and a page', 503, send(503, '<html>', 'text/html')],
  ['429', 503, send(429, '{"message":"rate limit"}')],
  ['a closed connection', 503, (res) => void res.destroy()],
  ['a redirect', 502, (res) => void res.writeHead(302, { location: 'https://evil.example/' }).end()],
  ['a page', 502, send(200, '<html>', 'text/html')],
  ['a list', 502, send(200, '[]')],
  [
    'half an answer',
    502,
    (res) => void res.writeHead(200, { 'content-length': '100' }).write('{"a":', () => res.destroy()),
  ],
  [
    'more than 256 KiB',
    502,
    send(200, JSON.stringify({ access_token: 'a', sub: '1', id: 1, pad: 'x'.repeat(300_000) })),
  ],
];

const withoutSecrets = (text: string) => expect(text).not.toMatch(/gh[our]_[0-9a-f]|ya29\.|emat_|eyJ|a secret of the/);

describe.each(NAMES)('%s', (name) => {
  const { paths } = IDENTITY_KINDS[name];

  test.each(
    Object.keys(paths).flatMap((where) => FAULTS.map((fault) => [where as keyof typeof paths, ...fault] as const)),
  )('%s endpoint, at a login: %s is an outage', async (where, _fault, status, misbehave) => {
    const flow = await startIdentityFlow(name);
    flow.upstream.override(paths[where], misbehave);
    const { answer } = await logIn(flow);
    expect([answer.status, answer.body.error], flow.lines.join('\n')).toEqual([status, 'server_error']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    withoutSecrets(flow.lines.join('\n') + JSON.stringify(answer.body));
  });

  test('an outage of the profile at a login: the client tries again with its code, which is sent there once', async () => {
    const flow = await startIdentityFlow(name);
    flow.upstream.override(paths.profile, send(500, '{}'));
    const { client, code, answer } = await logIn(flow);
    expect(answer.status).toBe(503);
    flow.upstream.override(paths.profile, undefined);
    const again = await client.token({ code });
    expect([again.status, again.body.error], flow.lines.join('\n')).toEqual([200, undefined]);
    const sent = flow.upstream.requests.filter(({ path, method }) => path === paths.token && method === 'POST');
    expect(sent).toHaveLength(1);
    expect(await refresh(flow, client, again)).toMatchObject({ status: 200 });
  });

  // GitLab's ID tokens live for two minutes, access tokens for two hours.
  test.each([5, 12, 24 * 60])(
    'at a refresh, an outage of the profile for %d minutes ends no login',
    async (minutes) => {
      vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() });
      onTestFinished(() => void vi.useRealTimers());
      const flow = await startIdentityFlow(name);
      const { client, answer } = await logIn(flow);
      vi.advanceTimersByTime(1_000);
      flow.upstream.override(paths.profile, send(500, '{}'));
      for (let passed = 0; passed < minutes; passed += minutes / 3) {
        expect(await refresh(flow, client, answer)).toMatchObject({ status: 503 });
        vi.advanceTimersByTime((minutes / 3) * 60_000);
      }
      flow.upstream.override(paths.profile, undefined);
      const newer = await refresh(flow, client, answer);
      expect([newer.status, newer.body.error], flow.lines.join('\n')).toEqual([200, undefined]);
      expect(await refresh(flow, client, newer)).toMatchObject({ status: 200 });
    },
  );

  test('at a refresh, an outage ends no login', async () => {
    const flow = await startIdentityFlow(name);
    const { client, answer } = await logIn(flow);
    for (const path of Object.values(paths)) {
      flow.upstream.override(path, send(500, '{}'));
      const { status } = await refresh(flow, client, answer);
      expect([400, 401]).not.toContain(status);
      flow.upstream.override(path, undefined);
    }
    expect(await refresh(flow, client, answer)).toMatchObject({ status: 200 });
  });

  test('a token is accepted while the identity provider is down', async () => {
    const flow = await startIdentityFlow(name);
    const { client, answer } = await logIn(flow);
    await flow.upstream.goDown();
    const headers = { authorization: `Bearer ${answer.body.access_token}` };
    const response = await post(flow.guarded.resource, initialize(), headers);
    expect(response.status).toBe(200);
    await response.text();
    expect(await refresh(flow, client, answer)).toMatchObject({ status: 503 });
  });

  test('wrong credentials of this server: 502, and the log says what to check', async () => {
    const flow = await startIdentityFlow(name, {}, { clientSecret: 'another secret' });
    const { answer } = await logIn(flow);
    expect(answer).toMatchObject({ status: 502, body: { error: 'server_error' } });
    expect(flow.lines.join('\n')).toContain('check clientId, clientSecret, and the callback that is registered there');
    withoutSecrets(flow.lines.join('\n'));
  });
});

describe('an error of the token endpoint at a refresh', () => {
  const said = (status: number, error: string) => send(status, JSON.stringify({ ok: false, error }));
  const PASSING = 'error OAuth proxy: The authorization server cannot be reached at the moment: ';
  const REFUSED = 'error OAuth proxy: The authorization server does not accept the client credentials of this server: ';
  const CHECK = '; check clientId, clientSecret, and the callback that is registered there';

  test.each<[number, string, number]>([
    [400, 'temporarily_unavailable', 503],
    [400, 'server_error', 503],
    [400, 'slow_down', 503],
    [400, 'internal_failure', 503],
    [403, 'rate_limit_exceeded', 503],
    [200, 'internal_error', 503],
    [200, 'service_unavailable', 503],
    [200, 'ratelimited', 503],
    [401, 'invalid_client', 502],
    [401, 'invalid_client_id', 502],
    [200, 'bad_client_secret', 502],
    [400, 'invalid_scope', 502],
    [404, 'Not Found', 502],
    [400, 'an error of its own', 502],
    [400, 'constructor', 502],
  ])('%d %j: the client gets %d, and its login goes on later', async (sent, error, status) => {
    const flow = await startIdentityFlow('OAuth2');
    const { client, answer } = await logIn(flow);
    flow.upstream.override(flow.kind.paths.token, said(sent, error));
    const failed = await refresh(flow, client, answer);
    expect(failed).toMatchObject({ status, body: { error: 'server_error' } });
    const text = `login.example answered ${sent} "${error}"`;
    expect(flow.lines.filter((line) => /^(error|warn) OAuth proxy/.test(line))).toEqual([
      status === 503 ? `${PASSING}${text}` : `${REFUSED}${text}${CHECK}`,
    ]);
    flow.upstream.override(flow.kind.paths.token, undefined);
    expect(await refresh(flow, client, answer)).toMatchObject({ status: 200 });
  });

  test.each<[number, string]>([
    [400, 'invalid_grant'],
    [401, 'invalid_grant'],
    [403, 'access_denied'],
    [400, 'interaction_required'],
    [200, 'bad_refresh_token'],
    [200, 'invalid_refresh_token'],
    [200, 'token_expired'],
    [200, 'token_revoked'],
  ])('%d %j: the user must log in again', async (sent, error) => {
    const flow = await startIdentityFlow('OAuth2');
    const { client, answer } = await logIn(flow);
    flow.upstream.override(flow.kind.paths.token, said(sent, error));
    expect(await refresh(flow, client, answer)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});

describe('a revocation', () => {
  test.each<[string, number, number, (res: ServerResponse) => void]>([
    ['200', 200, 0, send(200, '')],
    ['400 invalid_token', 200, 0, send(400, '{"error":"invalid_token"}')],
    ['400 invalid_client', 502, 1, send(400, '{"error":"invalid_client"}')],
    ['401', 502, 1, send(401, '{}')],
    ['400 unsupported_token_type', 502, 1, send(400, '{"error":"unsupported_token_type"}')],
    ['400 without a reason', 502, 1, send(400, '{}')],
    ['400 temporarily_unavailable', 503, 1, send(400, '{"error":"temporarily_unavailable"}')],
    ['404', 502, 1, send(404, '<html>', 'text/html')],
    ['408', 503, 1, send(408, '')],
    ['429', 503, 1, send(429, '<html>', 'text/html')],
    ['500', 503, 1, send(500, '{}')],
  ])('%s at the identity provider: %d, and %d lines', async (_answer, status, lines, misbehave) => {
    const flow = await startIdentityFlow('OAuth2');
    const { client, answer } = await logIn(flow);
    flow.upstream.override('/revoke', misbehave);
    const body = new URLSearchParams({ client_id: client.id, token: String(answer.body.refresh_token) });
    const response = await fetch(`${flow.base}/revocation`, { method: 'POST', body });
    expect(response.status).toBe(status);
    expect(flow.lines.filter((line) => line.startsWith('error'))).toHaveLength(lines);
    withoutSecrets(flow.lines.join('\n') + (await response.text()));
  });
});

test('the keys of ID tokens cannot be fetched: an outage', async () => {
  for (const [name, path] of [
    ['Google', '/oauth2/v3/certs'],
    ['GitLab', '/oauth/discovery/keys'],
  ] as const) {
    const flow = await startIdentityFlow(name);
    flow.upstream.override(path, send(500, '{}'));
    expect((await logIn(flow, ALICE)).answer).toMatchObject({ status: 503, body: { error: 'server_error' } });
  }
});
