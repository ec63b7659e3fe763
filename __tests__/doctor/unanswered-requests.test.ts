import { expect, test } from 'vitest';
import { createProbe, isMcpAnswer } from '../../src/doctor/probe.js';
import type { Middleware } from '../../src/index.js';
import { type Complaint, expectComplaints, goodToken, lineOf, startFaultyServer } from '../support/faulty-server.js';
import { serve } from '../support/loopback-server.js';

type Where = (req: Parameters<Middleware>[0]) => boolean;

/** Closes the connection of these requests, as some firewalls do. */
const closing =
  (where: Where): Middleware =>
  (req, _res, next) =>
    where(req) ? void req.socket.destroy() : next();

const CLOSED = 'the connection was closed without an answer (ECONNRESET)';

const rows: readonly [what: string, where: Where, ...expected: Complaint[]][] = [
  ['GET', ({ method, url }) => method === 'GET' && url === '/mcp', `! other verbs: GET: ${CLOSED}`],
  ['DELETE', ({ method }) => method === 'DELETE', `! other verbs: DELETE: ${CLOSED}`],
  ['OPTIONS', ({ method }) => method === 'OPTIONS', `! CORS preflight: OPTIONS: ${CLOSED}`],
  [
    'a POST from another origin',
    ({ method, headers }) => method === 'POST' && headers.origin !== undefined,
    `! CORS answers: POST from another origin: ${CLOSED}`,
  ],
  [
    'the document for another origin',
    ({ url, headers }) => url?.startsWith('/.well-known/') === true && headers.origin !== undefined,
    '! CORS metadata: …',
  ],
  ['the closing slash', ({ url }) => url === '/mcp/', '! closing slash: …'],
];

test.each(rows)(
  '%s without an answer is a line of its own, and the walk goes on',
  async (_what, where, ...expected) => {
    await expectComplaints({ before: closing(where) }, expected);
  },
);

test('a method that answers without a token counts more than one that does not answer', async () => {
  const before: Middleware = (req, res, next) => {
    if (req.method === 'GET' && req.url === '/mcp') req.socket.destroy();
    else if (req.method === 'DELETE') res.writeHead(200).end();
    else next();
  };
  await expectComplaints({ before }, ['✗ other verbs: DELETE is answered 200 without a token']);
});

test('a request with the token that is not answered is a fault, and the token is still explained', async () => {
  const server = await startFaultyServer({ before: closing(({ headers }) => headers.authorization !== undefined) });
  const lines = (await server.walk(goodToken(server))).map(lineOf);
  expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([
    expect.stringContaining(`✗ answer with the token: ${CLOSED}. Clients get this instead of an answer; it says`),
  ]);
  expect(lines).toContain('✓ token scope: mcp:call');
});

test('does not wait for the end of an event stream, however its type is written', async () => {
  const url = await serve((_req, res) => res.writeHead(200, { 'content-type': 'Text/Event-Stream' }).flushHeaders());
  const probe = createProbe(url, { bounds: { timeoutMs: 500, maxBytes: 1_000 } });
  expect(isMcpAnswer(await probe(url))).toBe(true);
});
