import { beforeEach, expect, test, vi } from 'vitest';
import {
  CALLER,
  documentsOf,
  documentText,
  refusalOf,
  sendJson,
  serveDocuments,
  TOO_MANY_DOCUMENTS,
} from '../support/document-host.js';
import { until } from '../support/until.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  return () => vi.useRealTimers();
});

const passSeconds = (seconds: number) => vi.advanceTimersByTime(seconds * 1_000);

const OUTAGE = { code: 'client_document_unavailable' };
const NOT_FOUND = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });

/** Documents whose hosts DNS does not know, and the names that it was asked for. */
function unknownHosts() {
  const asked: string[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    throw NOT_FOUND;
  };
  return { asked, documents: documentsOf({ network: { resolve } }) };
}

test('six new documents a minute are fetched for each caller, whatever the hosts', async () => {
  const { asked, documents } = unknownHosts();
  const ask = (i: number, caller: string) => refusalOf(documents.get(`https://h${i}.example/c`, caller));
  for (let i = 0; i < 6; i++) expect(await ask(i, CALLER)).toMatchObject(OUTAGE);
  expect(await ask(6, CALLER)).toEqual({
    ...TOO_MANY_DOCUMENTS,
    retryAfterSeconds: 10,
    log: { reason: 'too many were asked for, so h6.example is not called for another within 10 s' },
  });
  expect(asked).toHaveLength(6);
  // Another caller is not affected.
  expect(await ask(0, '192.0.2.2')).toMatchObject(OUTAGE);
  passSeconds(10);
  expect(await ask(6, CALLER)).toMatchObject(OUTAGE);
  expect(await ask(6, CALLER)).toMatchObject(TOO_MANY_DOCUMENTS);
});

test('thirty new documents a minute are fetched from each host, whatever the callers', async () => {
  const { asked, documents } = unknownHosts();
  const ask = (i: number, host: string) => refusalOf(documents.get(`https://${host}/${i}`, `198.51.100.${i}`));
  for (let i = 0; i < 30; i++) expect(await ask(i, 'a.example')).toMatchObject(OUTAGE);
  expect(await ask(30, 'a.example')).toMatchObject({ ...TOO_MANY_DOCUMENTS, retryAfterSeconds: 2 });
  expect(asked).toHaveLength(30);
  // Other hosts are not affected, and the caller keeps the fetch that its host refused.
  for (let i = 0; i < 6; i++) expect(await ask(30, 'b.example')).toMatchObject(OUTAGE);
  expect(await ask(30, 'b.example')).toMatchObject(TOO_MANY_DOCUMENTS);
});

test('valid new documents count, too: a host can have one at every URL', async () => {
  const server = await serveDocuments();
  const documents = documentsOf();
  for (let i = 0; i < 6; i++) await documents.get(server.url(`/${i}`), CALLER);
  expect(await refusalOf(documents.get(server.url('/6'), CALLER))).toMatchObject(TOO_MANY_DOCUMENTS);
  // Those in the cache need no fetch.
  for (let i = 0; i < 6; i++) expect(await documents.get(server.url(`/${i}`), CALLER)).toBeDefined();
});

/** A server of valid documents, whose other names DNS does not know. `isDown` makes DNS forget its name, too. */
async function knownHost() {
  const server = await serveDocuments();
  const state = { isDown: false };
  const resolve = async () => {
    if (state.isDown) throw NOT_FOUND;
    return [{ address: '127.0.0.1', family: 4 }];
  };
  return { server, state, documents: documentsOf({ network: { resolve } }) };
}

test('a document that was valid is fetched again, although callers have exceeded the limits of its host', async () => {
  const { server, state, documents } = await knownHost();
  await documents.get(server.url(), CALLER);
  passSeconds(601);
  state.isDown = true;
  for (let i = 0; i < 30; i++) await refusalOf(documents.get(server.url(`/${i}`), `198.51.100.${i}`));
  for (let i = 0; i < 7; i++) await refusalOf(documents.get(`https://h${i}.example/c`, CALLER));
  state.isDown = false;
  for (const caller of [CALLER, '198.51.100.77']) {
    expect(await refusalOf(documents.get(server.url('/new'), caller))).toMatchObject(TOO_MANY_DOCUMENTS);
  }
  expect(await documents.get(server.url(), CALLER)).toMatchObject({ url: server.url() });
});

test.each([
  ['a whole URL', (url: string) => [url], 'fetched'],
  ['its host', (url: string) => [url.replace('client.json', '*')], TOO_MANY_DOCUMENTS.code],
])(
  'of a document that was never fetched, and whose %s the operator lists, the first fetch is not used up',
  async (_what, list, outcome) => {
    const server = await serveDocuments((_req, res, url) => {
      const jwks = { keys: [] };
      const members = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: server.url('/keys') };
      if (url.endsWith('/keys')) sendJson(res, JSON.stringify(jwks));
      else if (url.endsWith('/client.json')) sendJson(res, documentText(url, members));
      else res.writeHead(404).end();
    });
    const junk = server.url('/*');
    const documents = documentsOf({ allow: [...list(server.url()), junk] });
    for (let i = 0; i < 6; i++) await refusalOf(documents.get(server.url(`/${i}`), CALLER));
    expect(await refusalOf(documents.get(server.url('/new'), CALLER))).toMatchObject(TOO_MANY_DOCUMENTS);
    const attempt = documents.get(server.url(), CALLER);
    if (outcome !== 'fetched') return void expect(await refusalOf(attempt)).toMatchObject(TOO_MANY_DOCUMENTS);
    const { keys } = await attempt;
    expect(keys).toHaveProperty('jwksUri');
    expect(await documents.getKeys(new URL(server.url('/keys')), CALLER)).toEqual({ keys: [] });
    expect(await refusalOf(documents.getKeys(new URL(server.url('/other-keys')), CALLER))).toMatchObject(
      TOO_MANY_DOCUMENTS,
    );
  },
);

test('a document that was valid is fetched six times a minute at most', async () => {
  const { server, state, documents } = await knownHost();
  await documents.get(server.url(), CALLER);
  passSeconds(601);
  state.isDown = true;
  const codes: string[] = [];
  for (let i = 0; i < 8; i++) codes.push((await refusalOf(documents.get(server.url(), `198.51.100.${i}`))).code);
  expect(codes).toEqual([...Array(6).fill(OUTAGE.code), ...Array(2).fill(TOO_MANY_DOCUMENTS.code)]);
});

test('documents of one host that were valid are fetched thirty times a minute at most, together', async () => {
  const { server, state, documents } = await knownHost();
  for (let i = 0; i < 6; i++) await documents.get(server.url(`/${i}`), CALLER);
  passSeconds(601);
  state.isDown = true;
  const codes: string[] = [];
  for (let i = 0; i < 36; i++) codes.push((await refusalOf(documents.get(server.url(`/${i % 6}`), CALLER))).code);
  expect(codes).toEqual([...Array(30).fill(OUTAGE.code), ...Array(6).fill(TOO_MANY_DOCUMENTS.code)]);
});

test('a hundred fetches at most run at the same time', async () => {
  const waiting: (() => void)[] = [];
  const resolve = () => new Promise<never>((_, reject) => void waiting.push(() => reject(NOT_FOUND)));
  const documents = documentsOf({ network: { resolve } });
  const ask = (i: number) => refusalOf(documents.get(`https://h${i}.example/c`, `198.51.100.${i}`));
  const asked = Array.from({ length: 100 }, (_, i) => ask(i));
  expect(await ask(100)).toMatchObject({ ...TOO_MANY_DOCUMENTS, retryAfterSeconds: 1 });
  await until(() => waiting.length === 100);
  for (const end of waiting.splice(0)) end();
  await Promise.all(asked);
  const next = ask(101);
  await until(() => waiting.length === 1);
  waiting[0]?.();
  expect(await next).toMatchObject(OUTAGE);
});

test('ids that are refused without a fetch count for no caller', async () => {
  const server = await serveDocuments();
  const documents = documentsOf({ allow: [server.url()] });
  for (let i = 0; i < 10; i++) {
    await refusalOf(documents.get('https://app.clients.example/', CALLER));
    await refusalOf(documents.get(server.url('/other'), CALLER));
  }
  expect(await documents.get(server.url(), CALLER)).toBeDefined();
  expect(server.requests).toEqual([server.url()]);
});
