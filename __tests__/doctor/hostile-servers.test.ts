import { expect, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe, type ProbeOptions } from '../../src/doctor/probe.js';
import { answering, lineOf, startFaultyServer } from '../support/faulty-server.js';
import { serve, unreachableUrl } from '../support/loopback-server.js';

/** In the place of public addresses, which no test has: 127.0.0.1. What is "private" here is reached under other names. */
const isPublic = (address: string) => address === '127.0.0.1';

/** A server whose metadata, or challenge, leads on to `victim`; the requests that came there, and the lines. */
async function leadTo(
  place: (victim: string) => Parameters<typeof startFaultyServer>[0],
  { options = { isPublic }, host = '127.0.0.2' }: { options?: ProbeOptions; host?: string } = {},
) {
  const requests: string[] = [];
  const { port } = new URL(await serve((req, res) => void res.end(String(requests.push(req.url ?? '')))));
  const victim = `http://${host}:${port}`;
  const { url } = await startFaultyServer(place(victim));
  const lines: string[] = [];
  for await (const finding of diagnose({ url }, createProbe(url, options))) lines.push(lineOf(finding));
  return { requests, lines, victim };
}

const CHALLENGE = (victim: string) => ({
  before: answering(['/mcp', '/mcp/'], (_req, res) =>
    res.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${victim}/latest/meta-data"` }).end(),
  ),
});
const SERVERS = (victim: string) => ({
  policy: ({ resource }: { resource: string }) => ({ resourceMetadata: { resource, authorizationServers: [victim] } }),
});
const KEYS = (victim: string) => ({ metadata: () => ({ jwks_uri: `${victim}/keys` }) });

test.each([
  ['resource_metadata', CHALLENGE],
  ['an authorization server', SERVERS],
  ['jwks_uri', KEYS],
])('a public server cannot lead to a private address by %s', async (_what, place) => {
  for (const host of ['127.0.0.2', '169.254.169.254', '[::ffff:127.0.0.2]', '[::1]', '10.0.0.1']) {
    const { requests, lines, victim } = await leadTo(place, { host });
    expect(requests).toEqual([]);
    const address = new URL(victim).hostname.replace(/[[\]]/g, '');
    expect(lines.join('\n')).toContain(`not called, since ${address} is not a public address`);
  }
});

test.each([
  ['resource_metadata', CHALLENGE],
  ['an authorization server', SERVERS],
  ['jwks_uri', KEYS],
])('where the server itself is private, %s may be, too', async (_what, place) => {
  expect((await leadTo(place, { options: {}, host: '127.0.0.1' })).requests).not.toEqual([]);
});

test('what the file of the user names is asked wherever it is', async () => {
  const { url } = await startFaultyServer();
  // Nothing listens there, so that the machine refuses the connection where we do not.
  const internal = (await unreachableUrl()).replace('127.0.0.1', '127.0.0.2');
  for (const [named, code] of [
    [[internal], 'ECONNREFUSED'],
    [[], 'ADDRESS_REFUSED'],
  ] as const) {
    const probe = createProbe(url, { isPublic, named });
    await probe(url);
    await expect(probe(`${internal}keys`)).rejects.toMatchObject({ code });
  }
});

test('of 3,000 authorization servers it looks at five, and makes fewer than sixty requests', async () => {
  let requests = 0;
  const origin = await serve((_req, res) => {
    requests += 1;
    res.writeHead(404).end();
  });
  const authorizationServers = Array.from({ length: 3_000 }, (_, i) => `${origin}/${i}`);
  const server = await startFaultyServer({
    policy: ({ resource }) => ({ resourceMetadata: { resource, authorizationServers } }),
    before: (_req, _res, next) => {
      requests += 1;
      next();
    },
  });
  const lines = (await server.walk()).map(lineOf);
  expect(lines.filter((line) => line.startsWith('✗ server metadata'))).toHaveLength(5);
  expect(lines.join('\n')).toContain('! authorization servers: 3000 are named; the first 5 are looked at. ');
  expect(requests).toBeLessThanOrEqual(60);
});

test('makes sixty requests in one walk, and no more', async () => {
  let requests = 0;
  const origin = await serve((_req, res) => {
    requests += 1;
    res.end();
  });
  const probe = createProbe(origin);
  for (let i = 0; i < 60; i += 1) await probe(origin);
  await expect(probe(origin)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  await expect(probe(await unreachableUrl())).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  expect(requests).toBe(60);
});
