import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpStdioBackend } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { callText, initialize, JSON_HEADERS, open, post } from '../support/mcp-requests.js';
import { ask, createTrustingServer, sessionPolicy, UNKNOWN_SESSION, userOf } from '../support/session-app.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const KINDS = [
  ['remember', {}],
  ['remember, with a secret', { secret: 's'.repeat(32) }],
  ['sign', { sessionOwners: 'sign', secret: 's'.repeat(32) }],
  ['off', { sessionOwners: 'off' }],
] as const;
const MODES = ['strict', 'optional', 'permissive'] as const;

/** A stdio backend at `/mcp` and a server of the app at `/own`, behind one `mcpAuth()` on the root and another one at `/mcp`. */
async function startBoth(options: Readonly<Record<string, unknown>>, mounts: readonly string[] = ['/']) {
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED] });
  onTestFinished(() => backend.close());
  const own = createTrustingServer();
  const app = express();
  for (const mount of mounts) app.use(mount, mcpAuth(sessionPolicy(options)));
  app.use('/mcp', backend);
  app.use('/own', own.handle);
  const origin = await serve(app);
  return { url: `${origin}/mcp`, ownUrl: `${origin}/own`, own, backend };
}

const combinations = KINDS.flatMap(([kind, options]) => MODES.map((mode) => [kind, mode, options] as const));

test.each(combinations)('sessions of the bridge stay those of their users: %s, %s', async (_kind, mode, options) => {
  const { url, ownUrl, own, backend } = await startBoth({ ...options, mode }, ['/', '/mcp']);
  const alice = await open(url, userOf('alice') as Record<string, string>);
  const id = alice['mcp-session-id'] ?? '';
  expect(id).toMatch(UUID);
  expect(await callText(url, alice, 'echo', { text: 'hello' })).toContain('hello');

  const headers = { ...JSON_HEADERS, ...userOf('bob') };
  for (const method of ['POST', 'GET', 'DELETE']) {
    expect(await ask(url, undefined, id, { method, headers })).toEqual(UNKNOWN_SESSION);
  }
  // If nothing else refuses it, the server of the app sees an id that is not its own.
  const elsewhere = await ask(ownUrl, 'bob', id);
  expect(elsewhere).toMatchObject({ status: 404 });
  expect(own.sessions.size).toBe(0);

  expect(await callText(url, { ...alice, ...userOf('alice') }, 'echo', { text: 'again' })).toContain('again');
  expect(backend.stats().sessions).toBe(1);
  expect((await ask(url, 'alice', id, { method: 'DELETE' })).status).toBe(200);
  for (const user of ['alice', 'bob', 'alice']) {
    expect(await ask(url, user, id, { headers: JSON_HEADERS })).toEqual(UNKNOWN_SESSION);
  }
});

describe('an id that a user has named at the bridge', () => {
  test('and the bridge does not know, belongs to no one', async () => {
    const { url, ownUrl, own } = await startBoth({});
    own.sessions.add('the-id');
    expect(await ask(url, 'bob', 'the-id', { headers: JSON_HEADERS })).toEqual(UNKNOWN_SESSION);
    expect((await ask(ownUrl, 'alice', 'the-id')).status).toBe(200);
  });
});

test('the bridge and a server of the app behind one mcpAuth() keep to their own ids', async () => {
  const { url, ownUrl } = await startBoth({ sessionOwners: 'sign', secret: 's'.repeat(32) });
  const [bridged, signed] = [await post(url, initialize(), userOf('alice') as never), await ask(ownUrl, 'alice')];
  expect(bridged.headers.get('mcp-session-id')).toMatch(UUID);
  expect(signed.id).toHaveLength(80);
  expect((await ask(url, 'alice', signed.id, { headers: JSON_HEADERS })).status).toBe(404);
  expect((await ask(ownUrl, 'alice', signed.id)).status).toBe(200);
});
