import express from 'express';
import { describe, expect, test } from 'vitest';
import { mcpAuth } from '../../src/index.js';
import { makeKey } from '../support/api-keys.js';
import { startIntrospectionServer } from '../support/introspection-server.js';
import { serve } from '../support/loopback-server.js';
import { serveProtected } from '../support/protected-backend.js';
import { callTool, createScopedApp } from '../support/scoped-app.js';
import { ask, createTrustingServer, sessionPolicy, UNKNOWN_SESSION } from '../support/session-app.js';

const ci = makeKey({ subject: 'ci', scopes: ['files:write'] });
const ci2 = makeKey({ subject: 'ci' });
const [unnamed, unnamed2] = [makeKey(), makeKey()];
const apiKeys = [ci, ci2, unnamed, unnamed2].map(({ entry }) => entry);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe.each(['remember', 'sign'])('a session of a server in the same app (%s)', (sessionOwners) => {
  async function setUp() {
    const introspection = await startIntrospectionServer();
    const policy = sessionPolicy({
      apiKeys,
      sessionOwners,
      ...(sessionOwners === 'sign' && { secret: 'x'.repeat(32) }),
      introspection: introspection.introspection,
      verifiers: [(token: string) => (token === 'own' ? { subject: 'ci', clientId: 'c', scopes: [] } : undefined)],
    });
    const server = createTrustingServer();
    const url = `${await serve(express().use('/mcp', mcpAuth(policy), server.handle))}/mcp`;
    const opaque = introspection.issue({ aud: 'mcp', sub: 'ci', client_id: 'c' });
    const callers: Record<string, Record<string, string>> = {
      'a key': bearer(ci.key),
      'another key of the same subject': bearer(ci2.key),
      'a key without a subject': { 'x-api-key': unnamed.key },
      'another key without a subject': { 'x-api-key': unnamed2.key },
      'an introspected token of the same subject': bearer(opaque),
      'a token of an own verifier of the same subject': bearer('own'),
    };
    return { url, callers };
  }

  test('belongs to the credential that opened it, and to no other caller', async () => {
    const { url, callers } = await setUp();
    const names = Object.keys(callers);
    for (const owner of names) {
      const { id } = await ask(url, undefined, undefined, { headers: callers[owner] as Record<string, string> });
      expect(id, owner).toBeDefined();
      for (const name of names) {
        const reply = await ask(url, undefined, id, { headers: callers[name] as Record<string, string> });
        if (name === owner) expect(reply.status, `${owner} at its own session`).toBe(200);
        else expect(reply, `${name} at the session of ${owner}`).toEqual(UNKNOWN_SESSION);
      }
    }
  });

  test('of an OAuth user belongs to no key of the same subject; an introspected token is the same user', async () => {
    const { url, callers } = await setUp();
    const { id } = await ask(url, 'ci');
    for (const [name, headers] of Object.entries(callers)) {
      const { status } = await ask(url, undefined, id, { headers });
      expect(status, name).toBe(name.startsWith('an introspected token') ? 200 : 404);
    }
    expect((await ask(url, 'ci', id)).status).toBe(200);
  });

  test('is the same for a key in either header', async () => {
    const { url } = await setUp();
    const { id } = await ask(url, undefined, undefined, { headers: bearer(ci.key) });
    expect((await ask(url, undefined, id, { headers: { 'x-api-key': ci.key } })).status).toBe(200);
  });
});

test('mcpScopes() decides by the scopes of a key', async () => {
  const { post } = createScopedApp(
    { 'tools/call': { delete_file: ['files:write'] } },
    { policy: { apiKeys } as never },
  );
  expect((await post(callTool('delete_file'), null, bearer(ci.key))).status).toBe(200);
  expect((await post(callTool('delete_file'), null, { 'x-api-key': ci.key })).status).toBe(200);
  const refused = await post(callTool('delete_file'), null, bearer(ci2.key));
  expect(refused.status).toBe(403);
  expect(refused.headers['www-authenticate']).toContain('error="insufficient_scope"');
  expect(refused.headers['www-authenticate']).toContain('scope="files:write"');
  expect((await post(callTool('other'), null, bearer(ci2.key))).status).toBe(200);
});

test('mcpScopes() challenges an anonymous caller with words about keys too', async () => {
  const policy = { apiKeys, mode: 'optional' } as never;
  const { post } = createScopedApp({ 'tools/call': { delete_file: ['files:write'] } }, { policy });
  const { status, text } = await post(callTool('delete_file'), null);
  expect(status).toBe(401);
  expect(text).toContain('Access token or API key required');
});

test('a stdio server gets a child for each key', async () => {
  const { url, backend } = await serveProtected({}, { apiKeys });
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  });
  const open = async (key: string) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...bearer(key),
    };
    const response = await fetch(url, { method: 'POST', headers, body });
    await response.text();
    return response.headers.get('mcp-session-id') as string;
  };
  const session = await open(ci.key);
  await open(ci2.key);
  expect(backend.stats().sessions).toBe(2);
  const call = (key: string) =>
    fetch(url, { method: 'DELETE', headers: { ...bearer(key), 'mcp-session-id': session } }).then(
      ({ status }) => status,
    );
  expect(await call(ci2.key)).toBe(404);
  expect(await call(ci.key)).toBe(200);
});
