import { expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/index.js';
import { serveHttp2 } from '../support/http2-server.js';

async function serveAdmin() {
  const admin = mcpAdmin({ authorize: 'loopback' });
  onTestFinished(() => admin.close());
  return serveHttp2(['/admin', admin]);
}

test('the page is served over HTTP/2, to a name of this machine', async () => {
  const { send } = await serveAdmin();
  const statusOf = async (authority?: string) =>
    (await send({ ':path': '/admin/', ...(authority && { ':authority': authority }) })).status;
  expect([await statusOf(), await statusOf('localhost'), await statusOf('evil.example')]).toEqual([200, 200, 403]);
});

test('the page can post over HTTP/2, known by its Origin', async () => {
  const { host, send } = await serveAdmin();
  const post = async (origin: string) => {
    const headers = {
      ':method': 'POST',
      ':path': '/admin/api/sessions/end',
      origin,
      'content-type': 'application/json',
    };
    return JSON.parse((await send(headers, '{"id":"x"}')).body).error;
  };
  expect(await post(`http://${host}`)).toBe('unknown_session');
  expect(await post('http://evil.example')).toBe('foreign_origin');
});
