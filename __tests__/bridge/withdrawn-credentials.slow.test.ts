import { afterEach, expect, test, vi } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { makeKey } from '../support/api-keys.js';
import { passTime } from '../support/app-with-key-server.js';
import { replyJson, startIntrospectionServer } from '../support/introspection-server.js';
import { call, open, post } from '../support/mcp-requests.js';
import { serveProtected } from '../support/protected-backend.js';

afterEach(() => void vi.useRealTimers());

/** The longest time until the end: the bridge looks once a second. */
const PROMPTLY_MS = 15_000;

/** Opens a session and its stream with a credential. Resolves to a function that waits for the end of the stream. */
async function openStream(policy: Record<string, unknown>, authorization: string) {
  const served = await serveProtected({}, policy);
  const session = await open(served.url, { authorization }, '2025-11-25');
  const stream = await fetch(served.url, { headers: { ...session, accept: 'text/event-stream' } });
  expect(stream.status).toBe(200);
  let hasEnded = false;
  const noteEnd = () => {
    hasEnded = true;
  };
  const reader = stream.text().then(noteEnd, noteEnd);
  return {
    ...served,
    isOpen: () => !hasEnded,
    async expectEnd() {
      await Promise.race([reader, new Promise((resolve) => setTimeout(resolve, PROMPTLY_MS).unref())]);
      expect(hasEnded).toBe(true);
    },
  };
}

const AUDIENCE = 'https://mcp.example/mcp';

test('a token that is revoked at its server ends an open stream, which sends no requests, after a minute', async () => {
  const server = await startIntrospectionServer();
  const issuer = createTestIssuer().issuer;
  const token = server.issue({ iss: issuer, aud: AUDIENCE });
  const stream = await openStream({ introspection: server.introspection }, `Bearer ${token}`);
  server.revoke(token);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(stream.isOpen()).toBe(true);
  passTime(61_000);
  await stream.expectEnd();
  expect(server.asked.length).toBeLessThanOrEqual(3);
});

test('a token about which its server later names fewer scopes ends an open stream after a minute', async () => {
  const server = await startIntrospectionServer();
  const claims = { iss: createTestIssuer().issuer, aud: AUDIENCE, sub: 'alice', client_id: 'app' };
  const token = server.issue({ ...claims, scope: 'read write' });
  const stream = await openStream({ introspection: server.introspection }, `Bearer ${token}`);
  server.behave((res) => replyJson(res, { active: true, ...claims, scope: 'read' }));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(stream.isOpen()).toBe(true);
  passTime(61_000);
  await stream.expectEnd();
});

test('an outage of the server ends no stream', async () => {
  const server = await startIntrospectionServer();
  const token = server.issue({ iss: createTestIssuer().issuer, aud: AUDIENCE });
  const stream = await openStream({ introspection: server.introspection }, `Bearer ${token}`);
  await server.goDown();
  passTime(61_000);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(stream.isOpen()).toBe(true);
});

test('a running call goes on after its opaque token has expired, even if its client sends the token again', async () => {
  const server = await startIntrospectionServer();
  const expiresAt = Math.floor(Date.now() / 1_000) + 2;
  const claims = { iss: createTestIssuer().issuer, aud: AUDIENCE, exp: expiresAt };
  const authorization = `Bearer ${server.issue(claims)}`;
  const { url } = await serveProtected({}, { introspection: server.introspection });
  const session = { ...(await open(url, { authorization })), authorization };
  const running = post(url, call(1, 'progress', { steps: 1, delay: 6_000 }), session);
  // A timer may end a millisecond before the date has come.
  await new Promise((resolve) => setTimeout(resolve, expiresAt * 1_000 - Date.now() + 100));
  server.behave((res) => replyJson(res, { active: false }));
  expect((await post(url, call(2, 'echo'), session)).status).toBe(401);
  expect((await running).status).toBe(200);
});

test('an API key that a function no longer knows ends an open stream after a minute', async () => {
  const { key, entry } = makeKey();
  let isKnown = true;
  const { sha256: _, ...known } = entry;
  const stream = await openStream({ apiKeys: () => (isKnown ? known : undefined) }, `Bearer ${key}`);
  isKnown = false;
  passTime(61_000);
  await stream.expectEnd();
});

test('an API key that is revoked ends an open stream', async () => {
  const { key, entry } = makeKey();
  const stream = await openStream({ apiKeys: [entry] }, `Bearer ${key}`);
  stream.auth.revoke(key);
  await stream.expectEnd();
});
