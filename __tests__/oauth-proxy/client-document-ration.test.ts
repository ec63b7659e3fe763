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

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  return () => vi.useRealTimers();
});

const passSeconds = (seconds: number) => vi.advanceTimersByTime(seconds * 1_000);

const notFound = () => serveDocuments((_req, res) => void res.writeHead(404).end());

test('six a minute for each caller, whatever the hosts', async () => {
  const server = await notFound();
  const documents = documentsOf();
  const ask = (i: number, caller: string) =>
    refusalOf(documents.get(server.url('/c', `h${i}.clients.example`), caller));
  for (let i = 0; i < 6; i++) expect(await ask(i, CALLER)).toMatchObject({ code: 'invalid_client' });
  expect(await ask(6, CALLER)).toEqual({
    ...TOO_MANY_DOCUMENTS,
    retryAfterSeconds: 10,
    log: { reason: `too many were asked for, so h6.clients.example:${server.port} is not called for another` },
  });
  expect(server.requests).toHaveLength(6);
  // Another caller is not affected.
  expect(await ask(0, '192.0.2.2')).toMatchObject({ code: 'invalid_client' });
  passSeconds(10);
  expect(await ask(6, CALLER)).toMatchObject({ code: 'invalid_client' });
  expect(await ask(6, CALLER)).toMatchObject(TOO_MANY_DOCUMENTS);
});

test('thirty a minute for each host, whatever the callers', async () => {
  const server = await notFound();
  const documents = documentsOf();
  const ask = (i: number, host: string) => refusalOf(documents.get(server.url(`/${i}`, host), `198.51.100.${i % 50}`));
  for (let i = 0; i < 30; i++) expect(await ask(i, 'a.clients.example')).toMatchObject({ code: 'invalid_client' });
  expect(await ask(30, 'a.clients.example')).toMatchObject({ ...TOO_MANY_DOCUMENTS, retryAfterSeconds: 2 });
  expect(server.requests).toHaveLength(30);
  expect(await ask(31, 'b.clients.example')).toMatchObject({ code: 'invalid_client' });
  // The refused fetch of the host was not taken from the caller.
  for (let i = 0; i < 6; i++) expect(await ask(30, 'b.clients.example')).toMatchObject({ code: 'invalid_client' });
  expect(await ask(30, 'b.clients.example')).toMatchObject(TOO_MANY_DOCUMENTS);
});

test('valid documents count, too: a host can have one at every URL', async () => {
  const server = await serveDocuments();
  const documents = documentsOf();
  for (let i = 0; i < 6; i++) await documents.get(server.url(`/${i}`), CALLER);
  expect(await refusalOf(documents.get(server.url('/6'), CALLER))).toMatchObject(TOO_MANY_DOCUMENTS);
  // Those in the cache need no fetch.
  for (let i = 0; i < 6; i++) expect(await documents.get(server.url(`/${i}`), CALLER)).toBeDefined();
});

test('a document that was valid is fetched again, although callers have used up the ration of its host', async () => {
  const server = await serveDocuments((_req, res, url) => {
    if (url.endsWith('/client.json')) sendJson(res, documentText(url));
    else res.writeHead(404).end();
  });
  const documents = documentsOf();
  await documents.get(server.url(), CALLER);
  passSeconds(601);
  for (let i = 0; i < 31; i++) await refusalOf(documents.get(server.url(`/${i}`), `198.51.100.${i}`));
  for (let i = 0; i < 7; i++) await refusalOf(documents.get(server.url(`/${i}`), CALLER));
  expect(await documents.get(server.url(), CALLER)).toMatchObject({ url: server.url() });
});

test('six a minute for each document that was valid', async () => {
  let isValid = true;
  const server = await serveDocuments((_req, res, url) =>
    isValid ? sendJson(res, documentText(url)) : void res.writeHead(404).end(),
  );
  const documents = documentsOf();
  await documents.get(server.url(), CALLER);
  isValid = false;
  passSeconds(601);
  const codes: string[] = [];
  for (let i = 0; i < 8; i++) codes.push((await refusalOf(documents.get(server.url(), `198.51.100.${i}`))).code);
  expect(codes).toEqual([...Array(6).fill('invalid_client'), ...Array(2).fill(TOO_MANY_DOCUMENTS.code)]);
});

test('a hundred at the same time', async () => {
  const held: (() => void)[] = [];
  const server = await serveDocuments((_req, res) => void held.push(() => res.writeHead(404).end()));
  const documents = documentsOf();
  const ask = (i: number) => refusalOf(documents.get(server.url('/c', `h${i}.clients.example`), `198.51.100.${i}`));
  const asked = Array.from({ length: 100 }, (_, i) => ask(i));
  expect(await ask(100)).toMatchObject({ ...TOO_MANY_DOCUMENTS, retryAfterSeconds: 1 });
  await vi.waitUntil(() => held.length === 100, 20_000);
  for (const end of held.splice(0)) end();
  await Promise.all(asked);
  const next = ask(101);
  await vi.waitUntil(() => held.length === 1);
  held[0]?.();
  expect(await next).toMatchObject({ code: 'invalid_client' });
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

test('thirty a minute for each host, of documents that were valid, apart from others', async () => {
  let isValid = true;
  const server = await serveDocuments((_req, res, url) =>
    isValid ? sendJson(res, documentText(url)) : void res.writeHead(404).end(),
  );
  const documents = documentsOf();
  for (let i = 0; i < 30; i++) await documents.get(server.url(`/${i}`), `198.51.100.${i}`);
  passSeconds(61);
  for (let i = 30; i < 36; i++) await documents.get(server.url(`/${i}`), `198.51.100.${i}`);
  isValid = false;
  passSeconds(601);
  const codes: string[] = [];
  for (let i = 0; i < 36; i++) codes.push((await refusalOf(documents.get(server.url(`/${i}`), CALLER))).code);
  expect(codes).toEqual([...Array(30).fill('invalid_client'), ...Array(6).fill(TOO_MANY_DOCUMENTS.code)]);
});
