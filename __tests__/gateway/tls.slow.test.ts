import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { CLIENT, OTHER_CLIENT, SERVER } from '../support/certificates.js';
import { serveFile } from '../support/file-gateway.js';
import { until } from '../support/until.js';

let folder: string;
const write = (name: string, { cert, key }: { cert: string; key: string }) =>
  Promise.all([writeFile(join(folder, `${name}.crt`), cert), writeFile(join(folder, `${name}.key`), key)]);
const files = (name: string) => ({ cert: `${name}.crt`, key: `${name}.key` });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'));
  await Promise.all([write('server', SERVER), write('client', CLIENT), write('other', OTHER_CLIENT)]);
  return () => rm(folder, { recursive: true });
});

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly certificate: string;
}

/** GETs the root, and notes the certificate of the server. */
function get(origin: string, options: object = {}): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const url = origin.replace('http:', 'https:');
    const req = request(url, { rejectUnauthorized: false, agent: false, ...options }, (res) => {
      let body = '';
      const certificate = (res.socket as TLSSocket).getPeerCertificate().fingerprint256;
      res.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body, certificate }));
    });
    req.on('error', reject).end();
  });
}

const route = (body: string, more: object = {}) => ({ policies: { directResponse: { status: 200, body } }, ...more });
const serve = (gateway: object, routes: object[]) =>
  serveFile({ gateways: { default: { port: 0, ...gateway } }, routes }, { folder });

test('a gateway with tls serves HTTPS, and a redirect knows it', async () => {
  const { origin } = await serve({ protocol: 'HTTPS', tls: files('server') }, [route('secret')]);
  expect(await get(origin, { ca: SERVER.cert, rejectUnauthorized: true })).toMatchObject({
    status: 200,
    body: 'secret',
  });
  await expect(fetch(origin)).rejects.toThrow();
});

test('listeners on one port have certificates of their own', async () => {
  const listeners = [
    { name: 'a', hostname: 'a.example', tls: files('client') },
    { name: 'rest', tls: files('server') },
  ];
  const { origin } = await serve({ listeners }, [
    route('a', { gateways: 'default/a' }),
    route('rest', { gateways: 'default/rest' }),
  ]);
  const [a, rest] = [
    await get(origin, { servername: 'a.example', headers: { host: 'a.example' } }),
    await get(origin, { servername: 'b.example', headers: { host: 'b.example' } }),
  ];
  expect([a.body, rest.body]).toEqual(['a', 'rest']);
  expect(a.certificate).not.toBe(rest.certificate);
  expect((await get(origin)).certificate).toBe(rest.certificate);
});

test('root lets in only clients with a certificate of it', async () => {
  const { origin } = await serve({ tls: { ...files('server'), root: 'client.crt' } }, [route('secret')]);
  // Most clients ask for a host name.
  for (const options of [{}, { servername: 'a.example' }]) {
    expect((await get(origin, { ...CLIENT, ...options })).body).toBe('secret');
    await expect(get(origin, options)).rejects.toThrow();
    await expect(get(origin, { ...OTHER_CLIENT, ...options })).rejects.toThrow();
  }
});

test('a renewed root is used without a restart', async () => {
  await writeFile(join(folder, 'renewed-root.crt'), CLIENT.cert);
  const { origin } = await serve({ tls: { ...files('server'), root: 'renewed-root.crt' } }, [route('secret')]);
  expect((await get(origin, CLIENT)).body).toBe('secret');
  await writeFile(join(folder, 'renewed-root.crt'), OTHER_CLIENT.cert);
  for (const options of [{}, { servername: 'a.example' }]) {
    await until(() =>
      get(origin, { ...OTHER_CLIENT, ...options }).then(
        () => true,
        () => false,
      ),
    );
    await expect(get(origin, { ...CLIENT, ...options })).rejects.toThrow();
  }
});

test('maxTLSVersion is the newest version', async () => {
  const { origin } = await serve({ tls: { ...files('server'), maxTLSVersion: 'TLS_V1_2' } }, [route('secret')]);
  await expect(get(origin, { minVersion: 'TLSv1.3' })).rejects.toThrow();
  expect((await get(origin)).status).toBe(200);
});

test('a renewed certificate is used without a restart, and a broken one is not', async () => {
  await write('renewed', SERVER);
  const { origin, lines } = await serve({ tls: files('renewed') }, [route('secret')]);
  const before = await get(origin);
  await writeFile(join(folder, 'renewed.crt'), 'broken');
  await until(async () => {
    await get(origin);
    return lines.some((line) => line.startsWith('error gateways.default.tls: cert cannot be used'));
  });
  expect((await get(origin)).certificate).toBe(before.certificate);
  await write('renewed', CLIENT);
  for (const options of [{}, { servername: 'a.example' }]) {
    await until(async () => (await get(origin, options)).certificate !== before.certificate);
  }
});

test.each([
  [{ tls: { cert: 'server.crt', key: 'client.key' } }, 'gateways.default.tls: cert and key cannot be used: '],
  [{ tls: { cert: 'none.crt', key: 'client.key' } }, 'none.crt: the file does not exist'],
  [
    { listeners: [{ tls: files('server') }, { hostname: 'a' }] },
    'gateways.default has listeners with and without tls: a port has either all or none',
  ],
  [
    { listeners: [{ tls: files('server') }, { hostname: 'a', tls: { ...files('server'), root: 'client.crt' } }] },
    'gateways.default.listeners[1].tls differs from gateways.default.listeners[0].tls in root: both are on one port, so write the same',
  ],
])('refused TLS %#', async (gateway, message) => {
  await expect(serve(gateway, [])).rejects.toThrow(message);
});
