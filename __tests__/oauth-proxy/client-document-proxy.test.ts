import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isPublicAddress } from '../../src/upstream/public-address.js';
import { CALLER, documentsOf, refusalOf, serveDocuments } from '../support/document-host.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { createRecordingLogger } from '../support/recording-logger.js';

/** A forward proxy that leads every host to this machine, as only a proxy could: names are resolved there. */
async function startProxy(status = 200) {
  const connects: string[] = [];
  const proxy = createServer();
  proxy.on('connect', ({ url = '' }, socket) => {
    connects.push(url);
    socket.on('error', () => undefined);
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    return undefined;
  });
  await listen(proxy);
  onTestFinished(() => stop(proxy));
  return { connects, origin: originOf(proxy) };
}

/** No name can be resolved, and no address is public: only the proxy gets out. */
const ENCLOSED = { resolve: () => Promise.reject(new Error('no DNS')), isPublic: isPublicAddress };

test.each(['HTTPS_PROXY', 'https_proxy'])('%s: documents of the list are fetched through the proxy', async (name) => {
  const [server, proxy] = [await serveDocuments(), await startProxy()];
  const network = { ...ENCLOSED, env: { [name]: proxy.origin } };
  const documents = documentsOf({ allow: [server.url('/*')], network });
  expect(await documents.get(server.url(), CALLER)).toMatchObject({ url: server.url() });
  expect(proxy.connects).toEqual([`app.clients.example:${server.port}`]);
  expect(documents.obstacle).toBeUndefined();
});

test('without a list, no document is fetched, and the log says why', async () => {
  const [server, proxy] = [await serveDocuments(), await startProxy()];
  const documents = documentsOf({ network: { env: { HTTPS_PROXY: proxy.origin } } });
  expect(documents.obstacle).toBe(
    'HTTPS_PROXY names a forward proxy, which resolves names itself: list the hosts of documents in oauthProxy.clientDocuments.allow, or set clientDocuments.enabled to false',
  );
  const host = `app.clients.example:${server.port}`;
  expect(await refusalOf(documents.get(server.url(), CALLER))).toEqual({
    code: 'invalid_client',
    message: 'This server cannot check the address of this client metadata document',
    log: {
      reason: `${host} is not called, since HTTPS_PROXY names a forward proxy, which resolves names itself`,
      advice: `add "https://${host}/*" to oauthProxy.clientDocuments.allow, or ${host} to NO_PROXY`,
    },
  });
  expect([...server.requests, ...proxy.connects]).toEqual([]);
});

test('keys are fetched from hosts of the list, and from no others', async () => {
  const [server, proxy] = [
    await serveDocuments(
      (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}'),
    ),
    await startProxy(),
  ];
  const network = { ...ENCLOSED, env: { HTTPS_PROXY: proxy.origin } };
  const documents = documentsOf({ allow: [server.url()], network });
  expect(await documents.getKeys(new URL(server.url('/keys')), CALLER)).toEqual({ keys: [] });
  const elsewhere = new URL(server.url('/keys', 'keys.clients.example'));
  expect(await refusalOf(documents.getKeys(elsewhere, CALLER))).toMatchObject({ code: 'invalid_client' });
  expect(proxy.connects).toEqual([`app.clients.example:${server.port}`]);
});

test('hosts that NO_PROXY names are called directly, at public addresses', async () => {
  const [server, proxy] = [await serveDocuments(), await startProxy()];
  const env = { HTTPS_PROXY: proxy.origin, NO_PROXY: '.clients.example' };
  const documents = documentsOf({ network: { env } });
  expect(await documents.get(server.url(), CALLER)).toMatchObject({ url: server.url() });
  const guarded = documentsOf({ network: { env, isPublic: isPublicAddress } });
  expect(await refusalOf(guarded.get(server.url(), CALLER))).toMatchObject({
    message: 'The client metadata document must be on a public address',
  });
  expect(proxy.connects).toEqual([]);
});

test('a proxy never gets addresses of this machine', async () => {
  const [server, proxy] = [await serveDocuments(), await startProxy()];
  const url = server.url('/c', '127.0.0.1');
  const network = { ...ENCLOSED, env: { HTTPS_PROXY: proxy.origin } };
  const { message } = await refusalOf(documentsOf({ allow: [url], network }).get(url, CALLER));
  expect(message).toBe('The client metadata document must be on a public address');
  expect(proxy.connects).toEqual([]);
});

test.each<[what: string, status: number, reason: RegExp]>([
  ['refuses', 403, /: Proxy response \(403\) !== 200 when HTTP Tunneling; if this server/],
  ['wants a password', 407, /: Proxy response \(407\) !== 200 when HTTP Tunneling; if this server/],
])('a proxy that %s is an outage', async (_what, status, reason) => {
  const [server, proxy] = [await serveDocuments(), await startProxy(status)];
  const network = { ...ENCLOSED, env: { HTTPS_PROXY: proxy.origin } };
  const refusal = await refusalOf(documentsOf({ allow: [server.url()], network }).get(server.url(), CALLER));
  expect(refusal).toMatchObject({
    code: 'client_document_unavailable',
    log: { reason: expect.stringMatching(reason) },
  });
});

test.each(['http://user:hidden@127.0.0.1:1', 'user:hidden@proxy', 'http://[hidden', 'ftp://hidden.example'])(
  'a proxy that cannot be used is an outage, and its URL is not logged: %s',
  async (proxy) => {
    const server = await serveDocuments();
    const network = { ...ENCLOSED, env: { HTTPS_PROXY: proxy } };
    const refusal = await refusalOf(documentsOf({ allow: [server.url()], network }).get(server.url(), CALLER));
    expect(refusal).toMatchObject({ code: 'client_document_unavailable' });
    expect(JSON.stringify(refusal)).not.toContain('hidden');
  },
);

test('the certificate and the answer of the host are checked behind a proxy, too', async () => {
  const proxy = await startProxy();
  const env = { HTTPS_PROXY: proxy.origin };
  const good = await serveDocuments();
  const untrusted = documentsOf({ allow: [good.url()], network: { ...ENCLOSED, env, ca: undefined } });
  expect((await refusalOf(untrusted.get(good.url(), CALLER))).log.reason).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
  const moved = await serveDocuments((_req, res) => void res.writeHead(302, { location: good.url() }).end());
  const documents = documentsOf({ allow: [moved.url()], network: { ...ENCLOSED, env } });
  expect(await refusalOf(documents.get(moved.url(), CALLER))).toMatchObject({ code: 'invalid_client' });
  const large = await serveDocuments(
    (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).write(' '.repeat(20_000)),
  );
  const bounded = documentsOf({ allow: [large.url()], network: { ...ENCLOSED, env } });
  expect((await refusalOf(bounded.get(large.url(), CALLER))).message).toContain('at most 16384 bytes');
});

test('an answer whose body is not needed, and does not end, does no harm', async () => {
  const proxy = await startProxy();
  const server = await serveDocuments((_req, res) => void res.writeHead(404).write(' '.repeat(100_000)));
  const network = { ...ENCLOSED, env: { HTTPS_PROXY: proxy.origin } };
  const documents = documentsOf({ allow: [server.url()], network });
  expect(await refusalOf(documents.get(server.url(), CALLER))).toMatchObject({ code: 'invalid_client' });
  await new Promise(setImmediate);
});

test.each([
  ['no list', {}, false],
  ['a list', { allow: ['https://app.example/*'] }, true],
])(
  'behind a forward proxy, with %s, the metadata announces documents only if some can be fetched',
  async (_what, clientDocuments, expected) => {
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { logger, lines } = createRecordingLogger();
    const oauthProxy = { secret: SECRET, clientDocuments };
    const { base } = await startOAuthProxyFlow('keycloak', 'keycloak', { oauthProxy, logger });
    const metadata = (await (await fetch(base)).json()) as Record<string, unknown>;
    expect(metadata.client_id_metadata_document_supported).toBe(expected ? true : undefined);
    const warning = lines.filter((line) =>
      line.startsWith('warn OAuth proxy: metadata documents of clients are not announced: HTTPS_PROXY'),
    );
    expect(warning).toHaveLength(expected ? 0 : 1);
  },
);
