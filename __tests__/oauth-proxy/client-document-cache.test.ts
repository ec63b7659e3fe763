import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  CALLER,
  documentsOf,
  documentText,
  refusalOf,
  sendJson,
  serveDocuments,
  TOO_MANY_DOCUMENTS,
} from '../support/document-host.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  return () => vi.useRealTimers();
});

const passSeconds = (seconds: number) => vi.advanceTimersByTime(seconds * 1_000);

const serveWith = (headers: Readonly<Record<string, string>>) =>
  serveDocuments((_req, res, url) => sendJson(res, documentText(url), headers));

describe('a valid document is cached', () => {
  test.each<[what: string, headers: Record<string, string>, seconds: number]>([
    ['ten minutes without headers', {}, 600],
    ['as long as max-age says', { 'cache-control': 'max-age=7200' }, 7_200],
    ['max-age minus Age', { 'cache-control': 'public, max-age=7200', age: '7000' }, 200],
    ['until Expires', { date: 'Thu, 01 Jan 2026 00:00:00 GMT', expires: 'Thu, 01 Jan 2026 00:05:00 GMT' }, 300],
    ['a minute at least', { 'cache-control': 'max-age=5' }, 60],
    ['a minute with no-store', { 'cache-control': 'no-store' }, 60],
    ['a minute with no-cache', { 'cache-control': 'no-cache, max-age=600' }, 60],
    ['a day at most', { 'cache-control': 'max-age=31536000, immutable' }, 86_400],
  ])('%s', async (_what, headers, seconds) => {
    const server = await serveWith(headers);
    const documents = documentsOf();
    const first = await documents.get(server.url(), CALLER);
    passSeconds(seconds - 1);
    expect(await documents.get(server.url(), CALLER)).toBe(first);
    expect(server.requests).toHaveLength(1);
    passSeconds(2);
    await documents.get(server.url(), CALLER);
    expect(server.requests).toHaveLength(2);
  });

  test('and fetched again after the machine has slept, or its clock was set', async () => {
    const server = await serveDocuments();
    const documents = documentsOf();
    await documents.get(server.url(), CALLER);
    vi.setSystemTime(Date.now() + 601_000);
    await documents.get(server.url(), CALLER);
    expect(server.requests).toHaveLength(2);
  });

  test('for its own URL only', async () => {
    const server = await serveDocuments();
    const documents = documentsOf();
    const urls = [server.url('/a'), server.url('/A'), server.url('/a?a'), server.url('/a', 'b.clients.example')];
    for (const url of urls) expect(await documents.get(url, CALLER)).toMatchObject({ url });
    expect(server.requests).toEqual(urls);
  });
});

test('simultaneous requests for one document share one fetch, also where it fails', async () => {
  for (const status of [200, 404, 503]) {
    const server = await serveDocuments((_req, res, url) => {
      if (status === 200) sendJson(res, documentText(url));
      else res.writeHead(status).end();
    });
    const documents = documentsOf();
    const attempts = Array.from({ length: 50 }, (_, i) => documents.get(server.url(), `192.0.2.${i}`));
    const results = await Promise.allSettled(attempts);
    expect(new Set(results.map((result) => result.status))).toHaveProperty('size', 1);
    expect(server.requests).toHaveLength(1);
  }
});

test.each([
  ['a status of 404', 404, '{}'],
  ['a status of 500', 500, '{}'],
  ['an invalid document', 200, '{}'],
  ['no JSON', 200, 'a'],
])('%s is not cached: the next request sees that it is mended', async (_what, status, text) => {
  let isMended = false;
  const server = await serveDocuments((_req, res, url) => {
    if (isMended) sendJson(res, documentText(url));
    else res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'max-age=600' }).end(text);
  });
  const documents = documentsOf();
  await refusalOf(documents.get(server.url(), CALLER));
  isMended = true;
  expect(await documents.get(server.url(), CALLER)).toMatchObject({ url: server.url() });
});

test('an expired document is not used while its host is down', async () => {
  let isDown = false;
  const server = await serveDocuments((_req, res, url) => {
    if (isDown) res.writeHead(503).end();
    else sendJson(res, documentText(url));
  });
  const documents = documentsOf();
  await documents.get(server.url(), CALLER);
  isDown = true;
  passSeconds(599);
  await documents.get(server.url(), CALLER);
  passSeconds(2);
  expect(await refusalOf(documents.get(server.url(), CALLER))).toMatchObject({ code: 'client_document_unavailable' });
});

test('only the documents of the list are fetched, and the log says what to add', async () => {
  const server = await serveDocuments();
  const documents = documentsOf({ allow: [`https://a.clients.example:${server.port}/*`, server.url('/c')] });
  for (const url of [server.url('/x/y', 'a.clients.example'), server.url('/c')]) {
    expect(await documents.get(url, CALLER)).toMatchObject({ url });
  }
  const host = `app.clients.example:${server.port}`;
  expect(await refusalOf(documents.get(server.url('/d'), CALLER))).toEqual({
    code: 'invalid_client',
    message: 'This server does not accept this client metadata document',
    log: {
      reason: `the metadata document on ${host} is not allowed`,
      advice: `to accept it, add "https://${host}/*" to oauthProxy.clientDocuments.allow`,
    },
  });
});

describe('the keys of a client', () => {
  const KEYS = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'a' }] };
  const serveKeys = (text = JSON.stringify(KEYS)) => serveDocuments((_req, res) => sendJson(res, text));

  test('are cached, and fetched again for a key that they lack', async () => {
    const server = await serveKeys();
    const documents = documentsOf();
    const url = new URL(server.url());
    const keys = await documents.getKeys(url, CALLER);
    expect(keys).toEqual(KEYS);
    expect(await documents.getKeys(url, CALLER)).toBe(keys);
    const newer = await documents.getKeys(url, CALLER, keys);
    expect(newer).not.toBe(keys);
    // A later request with the older set gets the newer one.
    expect(await documents.getKeys(url, CALLER, keys)).toBe(newer);
    expect(server.requests).toHaveLength(2);
  });

  test('are limited, like documents', async () => {
    const server = await serveKeys();
    const documents = documentsOf();
    const url = new URL(server.url());
    let keys = await documents.getKeys(url, CALLER);
    for (let i = 0; i < 6; i++) keys = await documents.getKeys(url, CALLER, keys);
    expect(await refusalOf(documents.getKeys(url, CALLER, keys))).toMatchObject(TOO_MANY_DOCUMENTS);
    expect(await documents.getKeys(url, CALLER)).toBe(keys);
  });

  test.each(['{}', '{"keys":{}}', '{"keys":[1]}'])('that are %s are refused', async (text) => {
    const server = await serveKeys(text);
    expect(await refusalOf(documentsOf().getKeys(new URL(server.url()), CALLER))).toMatchObject({
      code: 'invalid_client',
      message: 'The client metadata document must name a jwks_uri with a key set: an object with keys',
    });
  });
});
