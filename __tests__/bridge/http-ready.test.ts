import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { startRecordingTarget, startTarget } from '../support/recording-target.js';

describe('ready()', () => {
  test('says whether the target answers, and sends it no secret', async () => {
    const target = await startRecordingTarget((_arrived, res) => res.writeHead(405).end());
    const remote = await serveRemote(target.url, { bearer: 'secret-of-the-target', headers: { 'x-user': 'a' } });
    expect(await remote.backend.ready()).toBe(true);
    expect(target.arrived.map(({ method, url }) => [method, url])).toEqual([['OPTIONS', '/mcp']]);
    expect(target.bytes()).not.toMatch(/secret|x-user/);
    const closed = await serveRemote(target.url);
    await closed.backend.close();
    expect(await closed.backend.ready()).toBe(false);
    const silent = await startTarget(() => undefined);
    expect(await (await serveRemote(silent.url, { connectTimeoutSeconds: 1 })).backend.ready()).toBe(false);
  });

  test.each<[status: number, options: object, isReady: boolean]>([
    [200, {}, true],
    [404, {}, true],
    [405, {}, true],
    [403, {}, true],
    [401, {}, false],
    // The request has no credentials, so this is what a server that accepts them answers.
    [401, { bearer: 'secret' }, true],
    [401, { callerToken: { issuer: 'https://gateway.example/callers' } }, true],
    [401, { headers: { 'x-key': 'secret' } }, true],
    [401, { requestHeaders: ['x-key'] }, true],
    [301, {}, false],
    [307, { bearer: 'secret' }, false],
    [407, { bearer: 'secret' }, false],
    [421, { bearer: 'secret' }, false],
    [500, {}, false],
    [503, { bearer: 'secret' }, false],
  ])('of a target that answers %i, with %j: %j', async (status, options, isReady) => {
    const target = await startTarget((_req, res) => res.writeHead(status, { location: '/elsewhere' }).end());
    expect(await (await serveRemote(target.url, options)).backend.ready()).toBe(isReady);
  });

  test.each<[string, () => Promise<string>]>([
    ['listens on no port', unreachableUrl],
    ['closes each connection', async () => (await startTarget((req) => req.socket.destroy())).url],
    ['speaks plain http', async () => (await startTarget((_req, res) => res.end())).url.replace('http:', 'https:')],
  ])('is false at once if the target %s', async (_name, start) => {
    const remote = await serveRemote(await start(), { connectTimeoutSeconds: 600 });
    expect(await remote.backend.ready()).toBe(false);
  });
});
