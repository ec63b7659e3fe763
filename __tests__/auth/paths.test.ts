import { connect as connectSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { serve } from '../support/loopback-server.js';
import { claims, createProtectedApp, expectTokenRequired, METADATA_URL } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();

describe('every verb is gated', () => {
  test.each(['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'] as const)('%s', async (verb) => {
    const { app } = createProtectedApp({}, signer);
    const refused = await request(app)[verb]('/mcp');
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe(`Bearer resource_metadata="${METADATA_URL}"`);
    const passed = await request(app)[verb]('/mcp').auth(signer.sign(claims()), { type: 'bearer' });
    expect(passed.status).toBe(200);
  });
});

describe('a public path is public for its own methods only', () => {
  test.each(['post', 'put', 'patch', 'delete'] as const)(
    '%s is 405, whichever middleware comes first',
    async (verb) => {
      const { app, auth } = createProtectedApp({}, signer);
      const alone = express().use(auth);
      for (const target of [app, alone]) {
        const response = await request(target)[verb]('/.well-known/oauth-protected-resource/mcp');
        expect(response.status).toBe(405);
        expect(response.headers.allow).toBe('GET, HEAD, OPTIONS');
        expect(response.text).toBe('{"error":"method_not_allowed"}');
      }
    },
  );

  test('also below the path of the server itself, where OpenID Connect puts one', async () => {
    const { auth } = createProtectedApp({ provider: { keycloak: {} }, audiences: ['api'] }, signer);
    let reached = false;
    const app = express().use(auth);
    app.use('/mcp', (_req, res) => {
      reached = true;
      res.end();
    });
    expect((await request(app).post('/mcp/.well-known/openid-configuration')).status).toBe(405);
    expect(reached).toBe(false);
  });
});

describe('only the very bytes of a public path are public', () => {
  test.each([
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp?x=1',
    // In absolute form (RFC 9112, section 3.2.2).
    'http://paths.example/.well-known/oauth-protected-resource/mcp',
    'HTTPS://paths.example:443/.well-known/oauth-protected-resource/mcp?x=1',
    'http://[::1]:80/.well-known/oauth-protected-resource/mcp',
  ])('%s', async (target) => {
    expect(await statusOf(target)).toBe(200);
  });

  test.each([
    '/',
    '/mcp',
    '/mcp/',
    '//mcp',
    '/MCP',
    '/%6dcp',
    '/mcp;x',
    '/mcp/client-registration',
    '/.well-known',
    '/.well-known/',
    '/.well-known/oauth-protected-resource-evil',
    '/.well-known/oauth-protected-resource/',
    '/.well-known/oauth-protected-resource/mcp/',
    '/.well-known/oauth-protected-resource/mcp/x',
    '/.well-known/oauth-protected-resource/mcp;x',
    '/.well-known/oauth-protected-resource/other',
    '/.well-known/oauth-protected-resource/../../mcp',
    '/.well-known/oauth-protected-resource%2fmcp',
    '/.well-known/oauth-protected-resource/mcp%3f',
    '/.well-known//oauth-protected-resource/mcp',
    '/.WELL-KNOWN/oauth-protected-resource/mcp',
    '/.well-known/oauth-protected-resource/mcp#x',
    '/.well-known/oauth-authorization-server/mcp',
    'http://paths.example//.well-known/oauth-protected-resource/mcp',
    'http://paths.example/mcp/../.well-known/oauth-protected-resource/mcp',
    'http://paths.example/.well-known/oauth-protected-resource%2fmcp',
    'http://paths.example/.well-known/oauth-protected-resource/mcp/',
    'http://paths.example/.well-known/oauth-protected-resource/mcp#x',
    'http://paths.example/.well-known\\oauth-protected-resource/mcp',
    'http://user@paths.example/.well-known/oauth-protected-resource/mcp',
    'http:///.well-known/oauth-protected-resource/mcp',
    'ftp://paths.example/.well-known/oauth-protected-resource/mcp',
    'xhttp://paths.example/.well-known/oauth-protected-resource/mcp',
    'http://paths.example/mcp?/.well-known/oauth-protected-resource/mcp',
    '/mcp?/.well-known/oauth-protected-resource/mcp',
    '*',
  ])('%s is not', async (target) => {
    expect(await statusOf(target)).toBe(401);
  });

  /** Sends a raw request line: clients would normalize the target. */
  async function statusOf(target: string): Promise<number> {
    // The root of an origin has a document only if the origin has one resource. Other tests have more at the origin of `RESOURCE`.
    const resourceMetadata = { resource: 'https://paths.example/mcp' };
    const { port } = new URL(await serve(createProtectedApp({ resourceMetadata }, signer).app));
    const socket = connectSocket(Number(port), '127.0.0.1');
    socket.end(`GET ${target} HTTP/1.1\r\nHost: paths.example\r\nConnection: close\r\n\r\n`);
    return Number((await text(socket)).split(' ')[1]);
  }
});

test('nothing that a client says of itself decides', async () => {
  const { app } = createProtectedApp({}, signer);
  const said = {
    'mcp-protocol-version': '2024-11-05',
    accept: 'text/html',
    'user-agent': 'kube-probe',
    origin: 'null',
  };
  expectTokenRequired(await request(app).post('/mcp').set(said));
});

test('the protected app may be mounted below a path: the whole path still counts', async () => {
  const protectedApp = createProtectedApp({}, signer);
  const app = express().use('/mcp', protectedApp.auth);
  expectTokenRequired(await request(app).get('/mcp/.well-known/oauth-protected-resource/mcp'));
});
