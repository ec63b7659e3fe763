import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { adminPageAt, serveAdminApp } from '../support/admin-app.js';
import { serve } from '../support/loopback-server.js';
import { sendRaw } from '../support/raw-request.js';
import { createRecordingLogger } from '../support/recording-logger.js';

/** Sends a request with any headers. Resolves to the status and the `error` of the answer. */
async function raw(
  origin: string,
  line: string,
  headers: Record<string, string>,
  body = '',
): Promise<[number, string?]> {
  const all = { host: new URL(origin).host, connection: 'close', 'content-length': `${body.length}`, ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const answer = await sendRaw(origin, `${[`${line} HTTP/1.1`, ...head].join('\r\n')}\r\n\r\n${body}`);
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
  return [Number(status), /"error":"(\w+)"/.exec(answer)?.[1] as string];
}

const JSON_TYPE = { 'content-type': 'application/json' };
const END = 'POST /admin/api/sessions/end';

describe('another page', () => {
  test.each<[string, (origin: string) => Record<string, string>]>([
    ['with a foreign Origin', () => ({ ...JSON_TYPE, origin: 'https://evil.example' })],
    ['of another port of this machine', () => ({ ...JSON_TYPE, origin: 'http://127.0.0.1:1' })],
    ['with an opaque Origin', () => ({ ...JSON_TYPE, origin: 'null' })],
    ['that the browser calls same-site', (origin) => ({ ...JSON_TYPE, origin, 'sec-fetch-site': 'same-site' })],
    ['that the browser calls cross-site', (origin) => ({ ...JSON_TYPE, origin, 'sec-fetch-site': 'cross-site' })],
    ['that says nothing of its origin', () => JSON_TYPE],
  ])('%s cannot post', async (_what, headers) => {
    const { origin } = await serveAdminApp();
    expect(await raw(origin, END, headers(origin), '{"id":"x"}')).toEqual([403, 'foreign_origin']);
  });

  test.each([
    ['a form', 'application/x-www-form-urlencoded', 'id=x'],
    ['text, as fetch() sends it without a preflight', 'text/plain', '{"id":"x"}'],
    ['a multipart form', 'multipart/form-data; boundary=x', '--x--'],
    ['no media type', '', '{"id":"x"}'],
  ])('cannot post %s, even as the same origin', async (_what, type, body) => {
    for (const before of [[], [express.urlencoded(), express.text(), express.json()]]) {
      const { origin } = await serveAdminApp({ before });
      const headers: Record<string, string> = {
        origin,
        'sec-fetch-site': 'same-origin',
        ...(type && { 'content-type': type }),
      };
      expect(await raw(origin, END, headers, body)).toEqual([415, 'invalid_body']);
    }
  });

  test.each(['cross-site', 'same-site'])('cannot load data as a script (%s)', async (site) => {
    const { origin } = await serveAdminApp();
    for (const path of ['state', 'sessions', 'events'])
      expect(await raw(origin, `GET /admin/api/${path}`, { 'sec-fetch-site': site })).toEqual([403, 'foreign_origin']);
  });

  test('gets no permission to read: neither for a preflight nor for an answer', async () => {
    const { origin, get } = await serveAdminApp();
    const { headers } = await get('api/state', { origin: 'https://evil.example' });
    const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const asked = await fetch(`${origin}/admin/api/revoke`, { method: 'OPTIONS', headers: preflight });
    for (const answer of [headers, asked.headers])
      expect([...answer.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(asked.status).toBe(403);
  });

  test('under its own host name (DNS rebinding) gets nothing', async () => {
    const { lines, logger } = createRecordingLogger();
    const { origin } = await serveAdminApp({ options: { authorize: () => true, logger } });
    const host = 'evil.example:80';
    for (const path of ['', 'api/state'])
      expect(await raw(origin, `GET /admin/${path}`, { host })).toEqual([403, 'foreign_host']);
    expect(
      await raw(origin, END, { ...JSON_TYPE, host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, '{}'),
    ).toEqual([403, 'foreign_host']);
    expect(lines.join()).toContain('see the option allowedHosts of mcpAdmin()');
  });
});

describe('the page itself', () => {
  test.each<[string, (origin: string) => Record<string, string>]>([
    ['Sec-Fetch-Site', () => ({ 'sec-fetch-site': 'same-origin' })],
    ['Origin alone', (origin) => ({ origin })],
  ])('can post, known by %s', async (_what, headers) => {
    const { origin } = await serveAdminApp();
    expect(await raw(origin, END, { ...JSON_TYPE, ...headers(origin) }, '{"id":"x"}')).toEqual([
      404,
      'unknown_session',
    ]);
  });

  test.each([
    ['no object', '[]', 400],
    ['broken JSON', '{', 400],
    ['more than a megabyte', `{"id":"${'x'.repeat(1_100_000)}"}`, 413],
  ])('is refused %s', async (_what, body, status) => {
    const { origin } = await serveAdminApp();
    expect(await raw(origin, END, { ...JSON_TYPE, origin }, body)).toEqual([status, 'invalid_body']);
  });

  test('is posted to with a body that a parser has read', async () => {
    const { post } = await serveAdminApp({ before: [express.json()] });
    expect((await post('api/sessions/end', { id: 'x' })).status).toBe(404);
  });

  test('has no inline code and nothing from other hosts, and cannot be framed', async () => {
    const { get } = await serveAdminApp();
    for (const path of ['', 'admin.js', 'api/state', 'nothing']) {
      const { headers } = await get(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
    }
  });

  test.each([
    ['GET', 'index.html', 200, 'text/html; charset=utf-8'],
    ['GET', '', 200, 'text/html; charset=utf-8'],
    ['HEAD', '', 200, 'text/html; charset=utf-8'],
    ['GET', 'admin.css', 200, 'text/css; charset=utf-8'],
    ['GET', 'admin.js', 200, 'text/javascript; charset=utf-8'],
    ['POST', 'admin.js', 405, 'application/json'],
    ['GET', 'api/revoke', 405, 'application/json'],
    ['HEAD', 'api/events', 405, 'application/json'],
    ['GET', 'other.js', 404, 'application/json'],
  ])('answers %s %s with %i', async (method, path, status, type) => {
    const { origin } = await serveAdminApp();
    const response = await fetch(`${origin}/admin/${path}`, { method });
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
  });

  test.each([
    ['POST', 'admin.js', 'GET, HEAD'],
    ['OPTIONS', 'api/state', 'GET, HEAD'],
    ['POST', 'api/events', 'GET'],
    ['HEAD', 'api/events', 'GET'],
    ['OPTIONS', 'api/events', 'GET'],
    ['HEAD', 'api/revoke', 'POST'],
    ['OPTIONS', 'api/revoke', 'POST'],
  ])('answers %s %s with 405 and the methods that it takes: %s', async (method, path, allowed) => {
    const { origin } = await serveAdminApp();
    const { status, headers } = await fetch(`${origin}/admin/${path}`, { method });
    expect([status, headers.get('allow')]).toEqual([405, allowed]);
  });

  test.each([
    '/../index.ts',
    '/%2e%2e/index.js',
    '/..%2findex.js',
    '//etc/passwd',
    '/./admin.js',
    '/admin.js/',
    '/page/admin.js',
    '/api',
    '/%00',
  ])('serves nothing at %s', async (path) => {
    const { origin } = await serveAdminApp();
    expect(await raw(origin, `GET /admin${path}`, {})).toEqual([404, 'not_found']);
  });
});

describe('authorize', () => {
  const forwarded = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

  test.each(forwarded)('"loopback" refuses a request that a proxy has forwarded with %s', async (name) => {
    const { origin } = await serveAdminApp();
    expect(await raw(origin, 'GET /admin/', { [name]: '192.0.2.1' })).toEqual([403, 'access_denied']);
  });

  test.each<[string, () => unknown, [number, string]]>([
    ['false', () => false, [403, 'access_denied']],
    ['a promise of false', async () => false, [403, 'access_denied']],
    ['a value that is not true', () => 'yes', [403, 'access_denied']],
    ['undefined', () => undefined, [403, 'access_denied']],
    [
      'an error',
      () => {
        throw new Error('x');
      },
      [500, 'server_error'],
    ],
    [
      'an unreadable error',
      () =>
        Promise.reject(
          new Proxy(
            {},
            {
              getPrototypeOf: () => {
                throw new Error('x');
              },
            },
          ),
        ),
      [500, 'server_error'],
    ],
    ['a rejected promise', () => Promise.reject(), [500, 'server_error']],
  ])('refuses everything if the function gives %s', async (_what, authorize, expected) => {
    const { origin } = await serveAdminApp({ options: { authorize: authorize as () => boolean } });
    for (const path of ['', 'admin.js', 'api/state', 'api/callers', 'api/events', 'api/revoke'])
      expect(await raw(origin, `GET /admin/${path}`, {})).toEqual(expected);
    expect(await raw(origin, END, { ...JSON_TYPE, origin }, '{}')).toEqual(expected);
  });

  test('a function decides on the request, also on a forwarded one', async () => {
    const authorize = ({ headers }: { headers: Record<string, unknown> }) => headers['x-operator'] === 'yes';
    const { get } = await serveAdminApp({ options: { authorize: authorize as never } });
    expect((await get('', { 'x-operator': 'yes', 'x-forwarded-for': '192.0.2.1' })).status).toBe(200);
    expect((await get('')).status).toBe(403);
  });
});

test('allowedHosts lets a proxy keep its own name, and the page of that name post', async () => {
  const { origin } = await serveAdminApp({ options: { authorize: () => true, allowedHosts: ['Admin.example'] } });
  const headers = { ...JSON_TYPE, host: 'admin.example', origin: 'https://admin.example' };
  expect(await raw(origin, END, headers, '{"id":"x"}')).toEqual([404, 'unknown_session']);
});

describe.each<[string, () => express.Express]>([
  ['Express 5', () => express()],
  ['Express 4', () => express4() as never],
  ['Connect', () => connect() as never],
])('in %s', (_name, create) => {
  test('the address without its slash leads to the page, also below another mount', async () => {
    const app = create();
    const admin = mcpAdmin({ authorize: 'loopback' });
    onTestFinished(() => admin.close());
    app.use('/tools/admin', admin);
    const origin = await serve(app);
    for (const query of ['', '?x=1']) {
      const response = await fetch(`${origin}/tools/admin${query}`, { redirect: 'manual' });
      expect([response.status, response.headers.get('location')]).toEqual([308, './admin/']);
    }
    expect(await (await fetch(`${origin}/tools/admin`)).text()).toContain('<!doctype html>');
    expect((await adminPageAt(`${origin}/tools/admin/`).get('api/state')).status).toBe(200);
  });
});
