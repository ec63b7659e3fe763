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

describe('a revocation', () => {
  test.each<[string, number, number, (res: ServerResponse) => void]>([
    ['200', 200, 0, send(200, '')],
    ['400 invalid_token', 200, 0, send(400, '{"error":"invalid_token"}')],
    ['400 invalid_client', 502, 1, send(400, '{"error":"invalid_client"}')],
    ['401', 502, 1, send(401, '{}')],
    ['400 unsupported_token_type', 502, 1, send(400, '{"error":"unsupported_token_type"}')],
    ['400 without a reason', 502, 1, send(400, '{}')],
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
