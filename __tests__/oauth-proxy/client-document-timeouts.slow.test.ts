import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { CALLER, documentsOf, refusalOf, type sendJson, serveDocuments } from '../support/document-host.js';

/** Three seconds, and a machine that is busy with other work. Without the timeout, the fetches never end. */
const BOUND_MS = 20_000;

test.each([
  ['there is no answer', () => undefined],
  ['there are headers only', (res) => void res.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()],
  [
    'a body comes byte by byte',
    (res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => res.write(' '), 100);
      res.on('close', () => clearInterval(timer));
    },
  ],
] satisfies [what: string, answer: (res: Parameters<typeof sendJson>[0]) => void][])(
  'where %s, the fetch ends after three seconds in all',
  async (_what, answer) => {
    const server = await serveDocuments((_req, res) => answer(res));
    const began = performance.now();
    const { code, log } = await refusalOf(documentsOf().get(server.url(), CALLER));
    const ms = performance.now() - began;
    expect({ code, reason: log.reason }).toMatchObject({
      code: 'client_document_unavailable',
      reason: expect.stringContaining('no answer within 3 seconds'),
    });
    expect(ms).toBeGreaterThan(2_900);
    expect(ms).toBeLessThan(BOUND_MS);
  },
);

test('where DNS does not answer, the fetch ends after three seconds, too', async () => {
  const resolve = () => new Promise<never>(() => undefined);
  const began = performance.now();
  const { code } = await refusalOf(documentsOf({ network: { resolve } }).get('https://app.clients.example/c', CALLER));
  expect(code).toBe('client_document_unavailable');
  expect(performance.now() - began).toBeLessThan(BOUND_MS);
});

test('where a forward proxy does not answer, the fetch ends after three seconds, too', async () => {
  const proxy = createServer((socket) => void socket.on('error', () => undefined));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
  const began = performance.now();
  const documents = documentsOf({ allow: ['https://app.clients.example/c'], network: { env } });
  const { code, log } = await refusalOf(documents.get('https://app.clients.example/c', CALLER));
  expect(code).toBe('client_document_unavailable');
  expect(log.reason).toContain('no answer within 3 seconds');
  expect(performance.now() - began).toBeLessThan(BOUND_MS);
});
