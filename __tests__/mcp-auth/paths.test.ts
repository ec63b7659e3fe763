import { connect as connectSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { claims, createGate, expectTokenRequired, METADATA_URL } from '../support/gate.js';
import { serve } from '../support/serve.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();

describe('every verb is gated', () => {
  test.each(['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'] as const)('%s', async (verb) => {
    const { app } = createGate({}, signer);
    const refused = await request(app)[verb]('/mcp');
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe(`Bearer resource_metadata="${METADATA_URL}"`);
    const passed = await request(app)[verb]('/mcp').auth(signer.sign(claims()), { type: 'bearer' });
    expect(passed.status).toBe(200);
  });
});

describe('only the very bytes of a public path are public', () => {
  test.each([
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp?x=1',
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
    'http://mcp.example/.well-known/oauth-protected-resource/mcp',
    'http://mcp.example/mcp?/.well-known/oauth-protected-resource/mcp',
    '/mcp?/.well-known/oauth-protected-resource/mcp',
    '*',
  ])('%s is not', async (target) => {
    expect(await statusOf(target)).toBe(401);
  });

  /** A raw request line: clients would tidy the target up. */
  async function statusOf(target: string): Promise<number> {
    const { port } = new URL(await serve(createGate({}, signer).app));
    const socket = connectSocket(Number(port), '127.0.0.1');
    socket.end(`GET ${target} HTTP/1.1\r\nHost: mcp.example\r\nConnection: close\r\n\r\n`);
    return Number((await text(socket)).split(' ')[1]);
  }
});

test('nothing that a client says of itself decides', async () => {
  const { app } = createGate({}, signer);
  const said = {
    'mcp-protocol-version': '2024-11-05',
    accept: 'text/html',
    'user-agent': 'kube-probe',
    origin: 'null',
  };
  expectTokenRequired(await request(app).post('/mcp').set(said));
});

test('the gate may be mounted below a path: the whole path still counts', async () => {
  const { default: express } = await import('express');
  const gate = createGate({}, signer);
  const app = express().use('/mcp', gate.auth);
  expectTokenRequired(await request(app).get('/mcp/.well-known/oauth-protected-resource/mcp'));
});
