import { connect as connectSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { bound, proof, signer } from '../support/dpop-proofs.js';
import { serve } from '../support/loopback-server.js';
import { createProtectedApp, RESOURCE } from '../support/protected-app.js';

describe('the URL that a proof is for (htu)', () => {
  test.each<[what: string, trust: string | false, headers: Record<string, string>]>([
    ['Host', false, { host: 'evil.example.com' }],
    ['Host of another port', false, { host: 'mcp.example:8443' }],
    ['X-Forwarded-Host', false, { 'x-forwarded-host': 'evil.example.com', 'x-forwarded-proto': 'http' }],
    ['X-Forwarded-Host of a trusted proxy', 'loopback', { 'x-forwarded-host': 'evil.example.com' }],
    ['Forwarded', 'loopback', { forwarded: 'host=evil.example.com;proto=http' }],
  ])('is that of the resource, whatever the sender says in %s', async (_what, trust, headers) => {
    const { app } = createProtectedApp({ senderConstraint: { dpop: { required: true } } }, signer);
    app.set('trust proxy', trust);
    const call = async (htu: string) => {
      const sent = { authorization: `DPoP ${bound}`, dpop: proof({ htu }), ...headers };
      return (await request(app).get('/mcp?x=1').set(sent)).status;
    };
    const host = Object.values(headers)[0]?.replace(/^host=|;.*/g, '');
    for (const protocol of ['http', 'https']) expect(await call(`${protocol}://${host}/mcp`)).toBe(401);
    expect(await call(RESOURCE)).toBe(200);
  });

  test('is that of the path called, also where the resource ends in it: two mounts share no proof', async () => {
    const resource = 'https://mcp.example/api/mcp';
    const { app } = createProtectedApp(
      { senderConstraint: { dpop: {} }, audiences: [RESOURCE], resourceMetadata: { resource } },
      signer,
    );
    const call = async (path: string, htu: string) => {
      const headers = { authorization: `DPoP ${bound}`, dpop: proof({ htu }) };
      return (await request(app).get(path).set(headers)).status;
    };
    expect(await call('/api/mcp', resource)).toBe(200);
    expect(await call('/mcp', 'https://mcp.example/mcp')).toBe(200);
    expect(await call('/mcp', resource)).toBe(401);
    expect(await call('/api/mcp', 'https://mcp.example/mcp')).toBe(401);
  });

  test.each([
    ['*@evil.example/mcp', 'https://evil.example/mcp'],
    ['/mcp/../public', 'https://mcp.example/public'],
    ['/mcp/%2e%2e/admin', 'https://mcp.example/admin'],
    ['/a\\b', 'https://mcp.example/a/b'],
    ['//evil.example/mcp', 'https://evil.example/mcp'],
  ])('the target %s, which a URL reads in another way, is refused with a proof for %s', async (target, htu) => {
    const { port } = new URL(
      await serve(createProtectedApp({ senderConstraint: { dpop: { required: true } } }, signer).app),
    );
    const socket = connectSocket(Number(port), '127.0.0.1');
    const lines = [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', `Authorization: DPoP ${bound}`];
    socket.write(`${[...lines, `DPoP: ${proof({ htu })}`].join('\r\n')}\r\n\r\n`);
    expect((await text(socket)).split(' ')[1]).toBe('401');
  });
});
