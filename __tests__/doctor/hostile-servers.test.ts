import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe, type ProbeOptions } from '../../src/doctor/probe.js';
import { answering, lineOf, startFaultyServer } from '../support/faulty-server.js';
import { serve, unreachableUrl } from '../support/loopback-server.js';

/** No test has a public address: 127.0.0.1 counts as one, and other names for this machine as private. */
const isPublic = (address: string) => address === '127.0.0.1';

/** Starts a server whose metadata or challenge points to `victim`. Returns the requests that reached it, and the lines. */
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

test("fetches URLs of the user's own file on any network", async () => {
  const { url } = await startFaultyServer();
  // Nothing listens there: if the doctor does not refuse the address, the machine refuses the connection.
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

test('checks five of 3,000 authorization servers, with fewer than sixty requests', async () => {
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
  expect(lines.join('\n')).toContain('! authorization servers: 3000 are listed; the doctor checks the first 5. ');
  expect(requests).toBeLessThanOrEqual(60);
});

test('makes at most sixty requests for one server', async () => {
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

const NOT_NOW = () => Promise.reject(Object.assign(new Error('EAI_AGAIN'), { code: 'EAI_AGAIN' }));

test('a name that is not resolved at first is looked up again, and counts as public until then', async () => {
  const target = (await serve((_req, res) => void res.end())).replace('127.0.0.1', 'target.example');
  const internal = await serve((_req, res) => void res.end());
  let isDown = true;
  const resolve = () => (isDown ? NOT_NOW() : Promise.resolve([{ address: '127.0.0.1', family: 4 }]));
  const probe = createProbe(target, { resolve });
  await expect(probe(target)).rejects.toMatchObject({ code: 'EAI_AGAIN' });
  await expect(probe(internal)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
  isDown = false;
  expect(await probe(internal)).toMatchObject({ status: 200 });
  expect(await probe(target)).toMatchObject({ status: 200 });
});

test('a look-up that fails is made once for a request', async () => {
  const asked: string[] = [];
  const resolve = (name: string) => {
    asked.push(name);
    return NOT_NOW();
  };
  const probe = createProbe('http://target.example', { resolve });
  await expect(probe('http://target.example/mcp')).rejects.toMatchObject({ code: 'EAI_AGAIN' });
  expect(asked).toEqual(['target.example']);
  await expect(probe('http://other.example')).rejects.toMatchObject({ code: 'EAI_AGAIN' });
  expect(asked).toEqual(['target.example', 'target.example', 'other.example']);
});

test('the time limit of a request includes the look-ups, of which there is one', async () => {
  const target = (await serve((_req, res) => void res.end())).replace('127.0.0.1', 'target.example');
  const asked: string[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    await setTimeout(300);
    return [{ address: '127.0.0.1', family: 4 }];
  };
  const probeFor = (timeoutMs: number) => createProbe(target, { resolve, bounds: { timeoutMs, maxBytes: 1_000 } });
  const lines: string[] = [];
  for await (const finding of diagnose({ url: target }, probeFor(100))) lines.push(lineOf(finding));
  expect(lines).toEqual([
    '✗ answer without a token: the name target.example was not resolved within 0.1 seconds. No client gets an answer. Check the host name, and the name servers of this machine.',
  ]);
  asked.length = 0;
  expect(await probeFor(5_000)(target)).toMatchObject({ status: 200 });
  expect(asked).toEqual(['target.example']);
});
