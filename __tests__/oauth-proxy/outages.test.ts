import type { ServerResponse } from 'node:http';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { protectedResourceMetadata } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { postJson, REDIRECT_URI, withCode } from '../support/oauth-proxy-client.js';
import { SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { RESOURCE } from '../support/protected-app.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { until } from '../support/until.js';

// Deep enough to overflow the stack of JSON.stringify().
const NESTED = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

const [KEYCLOAK_METADATA] = PROVIDER_BEHAVIOURS.keycloak.kind.paths.metadata as [string];

describe('an upstream server that misbehaves', () => {
  const json = (document: unknown) => (res: ServerResponse) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  const issuerOf = (changes: Record<string, unknown>) => (issuer: string) => ({
    issuer,
    authorization_endpoint: `${issuer}/a`,
    token_endpoint: `${issuer}/t`,
    ...changes,
  });

  test.each<[string, number, (issuer: string) => (res: ServerResponse) => void]>([
    ['a list', 502, () => json([])],
    ['no JSON', 502, () => (res) => res.end('<html>')],
    ['404', 502, () => (res) => res.writeHead(404).end('{}')],
    ['500', 503, () => (res) => res.writeHead(500).end('{}')],
    ['a redirect', 502, () => (res) => res.writeHead(302, { location: 'https://evil.example/' }).end()],
    ['100 MB', 502, () => sendEndlessly],
    ['another issuer', 502, (issuer) => json(issuerOf({ issuer: `${issuer}/` })(issuer))],
    ['no issuer', 502, (issuer) => json(issuerOf({ issuer: undefined })(issuer))],
    ['no authorization endpoint', 502, (issuer) => json(issuerOf({ authorization_endpoint: undefined })(issuer))],
    ['no token endpoint', 502, (issuer) => json(issuerOf({ token_endpoint: undefined })(issuer))],
    [
      'a javascript: endpoint',
      502,
      (issuer) => json(issuerOf({ authorization_endpoint: 'javascript:alert(1)' })(issuer)),
    ],
    ['a file: endpoint', 502, (issuer) => json(issuerOf({ token_endpoint: 'file:///etc/passwd' })(issuer))],
    [
      'an endpoint over plain http',
      502,
      (issuer) => json(issuerOf({ token_endpoint: 'http://evil.example/t' })(issuer)),
    ],
    [
      'an endpoint with a user',
      502,
      (issuer) => json(issuerOf({ token_endpoint: 'https://a:b@evil.example/t' })(issuer)),
    ],
    ['an endpoint that is a list', 502, (issuer) => json(issuerOf({ token_endpoint: [`${issuer}/t`] })(issuer))],
    [
      'a relative registration endpoint',
      502,
      (issuer) => json(issuerOf({ registration_endpoint: '/register' })(issuer)),
    ],
  ])('%s for metadata: %d and a sentence', async (_name, status, answerFor) => {
    const { lines, logger } = createRecordingLogger();
    const { base, upstream } = await startOAuthProxyFlow('keycloak', 'keycloak', { logger });
    upstream.override(KEYCLOAK_METADATA, answerFor(upstream.issuer));
    const response = await fetch(base);
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe('1');
    const { error, error_description } = (await response.json()) as Record<string, string>;
    expect(error).toBe('server_error');
    expect(error_description).toMatch(/^The authorization server [a-z ]+$/);
    expect(lines).toContainEqual(expect.stringMatching(/^error metadata of http:.* failed: /));
    await fetch(base);
    expect(upstream.requests, 'it is left alone for a while').toHaveLength(1);
  });

  test('dangerouslyAllowHttp lets its endpoints be on plain http elsewhere', async () => {
    const { base, upstream } = await startOAuthProxyFlow('keycloak', 'keycloak', { dangerouslyAllowHttp: true });
    upstream.override(KEYCLOAK_METADATA, json(issuerOf({ token_endpoint: 'http://kc:8080/t' })(upstream.issuer)));
    expect((await fetch(base)).status).toBe(200);
  });

  test('that is down: 503; metadata that was read before is still used', async () => {
    const cold = await startOAuthProxyFlow('keycloak');
    await cold.upstream.close();
    expect((await fetch(cold.base)).status).toBe(503);
    const warm = await startOAuthProxyFlow('keycloak');
    expect((await fetch(warm.base)).status).toBe(200);
    await warm.upstream.close();
    expect((await fetch(warm.base)).status).toBe(200);
    const { status, body } = await postJson(`${warm.base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
    expect({ status, error: body.error }).toEqual({ status: 503, error: 'server_error' });
  });

  test('many clients at once cost one fetch', async () => {
    const { base, upstream } = await startOAuthProxyFlow('keycloak');
    await Promise.all(Array.from({ length: 20 }, () => fetch(base)));
    await fetch(base);
    expect(upstream.requests).toHaveLength(1);
  });

  test('a redirect is not followed, at any endpoint', async () => {
    let reached = 0;
    const trap = await serve((_req, res) => {
      reached += 1;
      res.end('{}');
    });
    const { base, upstream } = await startOAuthProxyFlow('keycloak');
    upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.registration ?? '', (res) =>
      res.writeHead(307, { location: trap }).end(),
    );
    const answer = await postJson(`${base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
    expect(answer.status).toBe(502);
    expect(reached).toBe(0);
  });

  test.each<[string, (res: ServerResponse) => void]>([
    ['a list', json([])],
    ['no client id', json({ client_secret: 's' })],
    ['what is nested without end', (res) => res.end(`{"client_id":"c","client_name":${NESTED}}`)],
    ['a client id that is a number', json({ client_id: 7 })],
    ['100 MB', sendEndlessly],
  ])('%s for a registration: 502', async (_name, takeOver) => {
    const { base, upstream } = await startOAuthProxyFlow('keycloak');
    upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.registration ?? '', takeOver);
    const answer = await postJson(`${base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
    expect({ status: answer.status, error: answer.body.error }).toEqual({ status: 502, error: 'server_error' });
  });
});

test.each<[string, (res: ServerResponse) => void, number, string]>([
  ['a list', (res) => res.end('[]'), 502, 'server_error'],
  ['what is nested without end', (res) => res.end(`{"access_token":"a","x":${NESTED}}`), 502, 'server_error'],
  ['no access token', (res) => res.end('{"token_type":"Bearer"}'), 502, 'server_error'],
  ['a redirect', (res) => res.writeHead(302, { location: 'https://evil.example/' }).end(), 502, 'server_error'],
  ['500 with a stack', (res) => res.writeHead(500).end('Error: at line 1'), 503, 'server_error'],
  ['100 MB', sendEndlessly, 502, 'server_error'],
  ['429', (res) => res.writeHead(429).end('{"error":"slow_down","stack":"at line 1"}'), 429, 'slow_down'],
  ['429 and a page', (res) => res.writeHead(429).end('<html>'), 503, 'server_error'],
  ['429 of Okta', (res) => res.writeHead(429).end('{"errorCode":"E0000047"}'), 503, 'server_error'],
  ['408', (res) => res.writeHead(408).end(), 503, 'server_error'],
  ['403 and a page', (res) => res.writeHead(403).end('<html>'), 403, 'invalid_request'],
])('%s for tokens', async (_name, takeOver, status, error) => {
  const { lines, logger } = createRecordingLogger();
  const { flow, client, code } = await withCode('keycloak', {}, { logger });
  flow.upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.token, takeOver);
  const answer = await client.token({ code });
  expect({ status: answer.status, error: answer.body.error }).toEqual({ status, error });
  expect(JSON.stringify(answer.body)).not.toMatch(/stack|line 1|evil/);
  expect(answer.headers.get('set-cookie')).toBeNull();
  for (const line of lines) expect(line).not.toContain(code);
});

test.each([
  ['7', '7'],
  ['9999', '3600'],
  [undefined, '30'],
  ['0', '30'],
  ['-1', '30'],
  ['123456', '30'],
  ['Wed, 21 Oct 2026 07:28:00 GMT', '30'],
])('429 and Retry-After: %s for a registration or for tokens: 503 and Retry-After: %s', async (given, passedOn) => {
  const { flow, client, code } = await withCode('keycloak');
  const { registration = '', token } = PROVIDER_BEHAVIOURS.keycloak.kind.paths;
  const headers = given === undefined ? {} : { 'retry-after': given };
  for (const path of [registration, token]) flow.upstream.override(path, (res) => res.writeHead(429, headers).end());
  const registered = await postJson(`${flow.base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
  for (const answer of [registered, await client.token({ code })]) {
    expect(answer).toMatchObject({ status: 503, body: { error: 'server_error' } });
    expect(answer.headers.get('retry-after')).toBe(passedOn);
  }
});

const CHUNK = Buffer.alloc(1024 * 1024, 32);

/** Sends 100 MB, or as much of it as the other side accepts. */
function sendEndlessly(res: ServerResponse): void {
  let left = 100;
  const send = () => {
    while (left-- > 0) if (!res.write(CHUNK)) return;
    res.end();
  };
  res.on('drain', send).on('error', () => undefined);
  res.writeHead(200, { 'content-type': 'application/json' });
  send();
}

test.each(['expired', undefined])(
  'a refused configured secret (%s) is an outage: no client is told to register again',
  async (clientSecret) => {
    const { lines, logger } = createRecordingLogger();
    const { client, code } = await withCode('entra', {}, { clientSecret, logger });
    const answer = await client.token({ code });
    expect(answer).toMatchObject({ status: 502, body: { error: 'server_error' } });
    expect(JSON.stringify(answer.body)).not.toContain('AADSTS');
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      'error OAuth proxy: The authorization server does not accept the client credentials of this server: ' +
        'it answered 401 "invalid_client"; check clientId and clientSecret',
    ]);
  },
);

test('an answer that another middleware has sent meanwhile stays as it is', async () => {
  const { upstream } = await startOAuthProxyFlow('keycloak');
  upstream.override(KEYCLOAK_METADATA, (res) => setTimeout(() => res.writeHead(500).end(), 200));
  const policy = { issuer: upstream.issuer, provider: { keycloak: {} }, resourceMetadata: { resource: RESOURCE } };
  const errors: unknown[] = [];
  let replies = 0;
  const app = express().use((_req, res, next) => {
    setTimeout(() => {
      res.status(503).send('too slow');
      replies += 1;
    }, 50);
    next();
  });
  app.use(protectedResourceMetadata({ ...policy, oauthProxy: { secret: SECRET } }));
  app.use(((error, _req, _res, _next) => void errors.push(error)) as express.ErrorRequestHandler);
  const origin = await serve(app);
  const base = `${origin}/.well-known/oauth-authorization-server/mcp`;
  expect(await (await fetch(base)).text()).toBe('too slow');
  const unread = await fetch(`${base}/client-registration`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new ReadableStream({
      async start(controller) {
        controller.enqueue('{');
        await until(() => replies === 2);
        controller.enqueue('x'.repeat(100_000));
        controller.close();
      },
    }).pipeThrough(new TextEncoderStream()),
    duplex: 'half',
  } as RequestInit);
  expect(unread.status).toBe(503);
  // The metadata comes after the answer, and must not cause another.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(errors).toEqual([]);
});
