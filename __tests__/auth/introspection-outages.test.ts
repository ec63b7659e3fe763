import type { ServerResponse } from 'node:http';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import {
  expectOutage,
  replyJson,
  setUpIntrospection,
  startIntrospectionServer,
} from '../support/introspection-server.js';
import { serve } from '../support/loopback-server.js';
import { createProtectedApp, ISSUER } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';

describe('an answer that cannot be used is 503, and never 401', () => {
  const json =
    (body: unknown, status = 200) =>
    (res: ServerResponse) =>
      replyJson(res, body, status);
  test.each<[name: string, answer: (res: ServerResponse) => void, reason: string]>([
    ['active as text', json({ active: 'true', sub: 'alice' }), 'its "active" is neither true nor false'],
    ['active as a number', json({ active: 1 }), 'its "active" is neither true nor false'],
    ['active as null', json({ active: null }), 'its "active" is neither true nor false'],
    ['no active', json({ sub: 'alice' }), 'its "active" is neither true nor false'],
    ['active inherited', (res) => res.end('{"__proto__":{"active":true}}'), 'its "active" is neither true nor false'],
    ['active twice', (res) => res.end('{"active":false,"active":true}'), 'it is not a JSON object'],
    [
      'deep nesting',
      (res) => res.end(`{"active":true,"x":${'['.repeat(9_000)}${']'.repeat(9_000)}}`),
      'it is not a JSON object',
    ],
    ['a list', json([{ active: true }]), 'it is not a JSON object'],
    ['text', (res) => res.end('active'), 'it is not a JSON object'],
    ['nothing', (res) => res.end(), 'it is not a JSON object'],
    [
      'status 401',
      json({ error: 'invalid_client' }, 401),
      'it answered with status 401: check clientId and clientSecret',
    ],
    ['status 400', json({ error: 'invalid_request' }, 400), 'it answered with status 400'],
    ['status 404', json({}, 404), 'it answered with status 404: check the endpoint'],
    ['status 429', json({}, 429), 'it answered with status 429'],
    ['status 500', json({ active: false }, 500), 'it answered with status 500'],
    ['status 201', json({ active: true }, 201), 'it answered with status 201'],
    ['a redirect', (res) => res.writeHead(307, { location: '/other' }).end(), 'it answered with status 307'],
    [
      'a megabyte',
      (res) => res.end(`{"active":true,"x":"${'x'.repeat(1_000_000)}"}`),
      'it is larger than 262144 bytes',
    ],
    ['no UTF-8', (res) => res.end(Buffer.from([0x7b, 0xff, 0x7d])), 'it is not UTF-8'],
    ['a connection that breaks', (res) => res.destroy(), 'UND_ERR_SOCKET'],
  ])('%s', async (_name, answer, reason) => {
    const { lines, logger } = createRecordingLogger();
    const { server, policy, protectedApp } = await setUpIntrospection({ logger });
    const token = server.issue();
    server.behave(answer);
    expectOutage(await protectedApp.send(token));
    expectOutage(await createProtectedApp({ ...policy, mode: 'optional' }).send(token));
    expect((await createProtectedApp({ ...policy, mode: 'permissive' }).send(token)).body.anonymous).toBe(true);
    expect(lines.filter((line) => line.includes(reason))[0]).toBe(
      `error introspection at ${ISSUER}: POST ${server.url} failed: ${reason}`,
    );
    expect(lines.join('\n')).not.toContain(token);
    server.behave(undefined);
    expect((await protectedApp.send(token)).status).toBe(200);
  });

  test('a secret that the server refuses', async () => {
    const { server, protectedApp } = await setUpIntrospection({ introspection: { clientSecret: 'another' } });
    expectOutage(await protectedApp.send(server.issue()));
  });

  test('a request that asks for JSON gets JSON', async () => {
    const { server, protectedApp } = await setUpIntrospection();
    await server.goDown();
    const response = await request(protectedApp.app)
      .get('/mcp')
      .set({ authorization: `Bearer ${server.issue()}`, accept: 'application/json' });
    expect(response.body).toEqual({
      error: 'introspection_unavailable',
      error_description: 'The authorization server cannot check the token at the moment',
    });
  });
});

describe('the endpoint, if it is not given', () => {
  async function setUpMetadata(changes: Record<string, unknown> = {}) {
    const { lines, logger } = createRecordingLogger();
    const server = await startIntrospectionServer();
    let fetches = 0;
    const issuer = await serve((req, res) => {
      fetches += 1;
      if (req.url !== '/.well-known/oauth-authorization-server') return void res.writeHead(404).end();
      const document: Record<string, unknown> = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        introspection_endpoint: server.url,
      };
      replyJson(res, { ...document, ...changes });
    });
    const { clientId, clientSecret } = server.introspection;
    const protectedApp = createProtectedApp({ issuer, introspection: { clientId, clientSecret }, logger });
    return { server, issuer, protectedApp, lines, fetches: () => fetches };
  }

  test('is that of the metadata, which is fetched once', async () => {
    const { server, issuer, protectedApp, fetches } = await setUpMetadata();
    for (const _ of [1, 2]) expect((await protectedApp.send(server.issue({ iss: issuer }))).status).toBe(200);
    expect(fetches()).toBe(1);
  });

  test.each<[string, Record<string, unknown>]>([
    ['no other endpoint', { authorization_endpoint: undefined, token_endpoint: undefined }],
    ['an unusable registration_endpoint', { registration_endpoint: '/register' }],
  ])('is used even if the metadata has %s', async (_what, changes) => {
    const { server, issuer, protectedApp } = await setUpMetadata(changes);
    expect((await protectedApp.send(server.issue({ iss: issuer }))).status).toBe(200);
  });

  test('is that of the next URL of the metadata, if the first one names none', async () => {
    const server = await startIntrospectionServer();
    const issuer = await serve((req, res) => {
      const isFirst = req.url === '/.well-known/oauth-authorization-server';
      replyJson(res, { issuer, ...(!isFirst && { introspection_endpoint: server.url }) });
    });
    const { clientId, clientSecret } = server.introspection;
    const protectedApp = createProtectedApp({ issuer, introspection: { clientId, clientSecret } });
    expect((await protectedApp.send(server.issue({ iss: issuer }))).status).toBe(200);
  });

  const unnamed = 'the metadata names no https introspection_endpoint; give introspection.endpoint';
  test.each<[string, Record<string, unknown>, string]>([
    ['no endpoint', { introspection_endpoint: undefined }, unnamed],
    ['a file', { introspection_endpoint: 'file:///etc/passwd' }, unnamed],
    ['http on another machine', { introspection_endpoint: 'http://192.0.2.1/introspect' }, unnamed],
    ['a password', { introspection_endpoint: 'https://a:b@127.0.0.1/introspect' }, unnamed],
    ['another issuer', { issuer: 'https://other.example' }, 'the metadata, which names its endpoint, cannot be used'],
  ])('%s in the metadata is 503', async (_name, changes, reason) => {
    const { server, issuer, protectedApp, lines } = await setUpMetadata(changes);
    expectOutage(await protectedApp.send(server.issue({ iss: issuer })));
    expect(server.asked).toEqual([]);
    expect(lines).toContain(`error introspection at ${issuer}: ${reason}`);
  });
});
