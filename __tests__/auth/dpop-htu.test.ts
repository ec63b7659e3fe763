import { connect as connectSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { bound, proof, signer } from '../support/dpop-proofs.js';
import { serve } from '../support/loopback-server.js';
import { createGate, RESOURCE } from '../support/protected-app.js';

describe('the URL that a proof is for (htu)', () => {
  test('without a configured resource, htu is the request itself', async () => {
    const { app } = createGate({ dpop: 'accept', audiences: [RESOURCE], resourceMetadata: undefined }, signer);
    const call = (htu: string) =>
      request(app)
        .get('/mcp?x=1')
        .set({ host: 'mcp.test', authorization: `DPoP ${bound}`, dpop: proof({ htu }) });
    expect((await call('http://mcp.test/mcp')).status).toBe(200);
    expect((await call('http://other.test/mcp')).status).toBe(401);
  });

  test('behind a proxy, htu is what the client called, where the app trusts the proxy', async () => {
    const { app } = createGate({ dpop: 'accept', audiences: [RESOURCE], resourceMetadata: undefined }, signer);
    const forwarded = { 'x-forwarded-host': 'mcp.test', 'x-forwarded-proto': 'https' };
    const call = async (htu: string) => {
      const headers = { host: 'inner.test', authorization: `DPoP ${bound}`, dpop: proof({ htu }) };
      return (
        await request(app)
          .get('/mcp')
          .set({ ...headers, ...forwarded })
      ).status;
    };
    const statuses = async () => [await call('https://mcp.test/mcp'), await call('http://inner.test/mcp')];
    expect(await statuses(), 'by default').toEqual([401, 200]);
    app.set('trust proxy', 'loopback');
    expect(await statuses(), 'of a proxy on this machine').toEqual([200, 401]);
  });

  test('is that of the path called, also where the resource ends in it: two mounts share no proof', async () => {
    const resource = 'https://mcp.example/api/mcp';
    const { app } = createGate({ dpop: 'accept', audiences: [RESOURCE], resourceMetadata: { resource } }, signer);
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
    const { port } = new URL(await serve(createGate({ dpop: 'require' }, signer).app));
    const socket = connectSocket(Number(port), '127.0.0.1');
    const lines = [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', `Authorization: DPoP ${bound}`];
    socket.write(`${[...lines, `DPoP: ${proof({ htu })}`].join('\r\n')}\r\n\r\n`);
    expect((await text(socket)).split(' ')[1]).toBe('401');
  });
});
