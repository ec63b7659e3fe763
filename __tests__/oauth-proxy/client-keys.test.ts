import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createClientKeySets } from '../../src/oauth-proxy/client-keys.js';
import { createClientDocuments } from '../../src/oauth-proxy/documents/client-documents.js';
import { INTERNET } from '../../src/oauth-proxy/documents/document-fetch.js';
import { passTime, stopTime } from '../support/app-with-key-server.js';
import { SERVER } from '../support/certificates.js';
import { CLIENT, claims, createVerifier, verdictOn } from '../support/client-assertions.js';
import { listen, stop } from '../support/loopback-server.js';
import { createSigner, type Signer } from '../support/signer.js';

const [first, second] = [createSigner({ alg: 'ES256' }), createSigner({ alg: 'ES256' })] as const;
const SIGNATURE = 'no key that the client publishes verifies its signature';
const UNAVAILABLE =
  '503 client_document_unavailable: The metadata document of the client cannot be fetched at the moment';

/** A client whose keys are at a real https server, whose address counts as a public one. */
async function startClient(...keys: readonly Signer[]) {
  let requests = 0;
  let respond: RequestListener = jsonOf(keys);
  const server = createTlsServer(SERVER, (req, res) => {
    requests += 1;
    respond(req, res);
  });
  await listen(server);
  onTestFinished(() => stop(server));
  const { port } = server.address() as AddressInfo;
  const network = { ...INTERNET, isPublic: () => true, ca: SERVER.cert };
  const documents = createClientDocuments({ allow: undefined }, { hostname: 'mcp.example' }, network);
  const verifier = createVerifier({ keySets: createClientKeySets(documents) });
  const client = { url: CLIENT, keys: { jwksUri: new URL(`https://127.0.0.1:${port}/jwks.json`) } };
  return {
    verdictOn: (assertion: string) => verdictOn(assertion, client, verifier),
    publish: (...now: readonly Signer[]) => {
      respond = jsonOf(now);
    },
    answer: (listener: RequestListener) => {
      respond = listener;
    },
    goDown: () => stop(server),
    get requests() {
      return requests;
    },
  };
}

function jsonOf(signers: readonly Signer[]): RequestListener {
  return (_req, res) =>
    void res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
}

test('keys at a jwks_uri are fetched once for many assertions', async () => {
  const client = await startClient(first);
  const verdicts = await Promise.all([1, 2, 3].map(() => client.verdictOn(first.sign(claims()))));
  expect([...verdicts, await client.verdictOn(first.sign(claims()))]).toEqual(Array(4).fill('accepted'));
  expect(client.requests).toBe(1);
});

test('a new key is accepted at its first assertion, once the keys are not the newest', async () => {
  stopTime();
  const client = await startClient(first);
  expect(await client.verdictOn(first.sign(claims()))).toBe('accepted');
  client.publish(first, second);
  expect(await client.verdictOn(second.sign(claims()))).toBe(SIGNATURE);
  passTime(31_000);
  expect(await client.verdictOn(second.sign(claims()))).toBe('accepted');
  expect(await client.verdictOn(first.sign(claims()))).toBe('accepted');
  expect(client.requests).toBe(2);
});

test('a new key with the kid of the old one is accepted, and the old one refused', async () => {
  stopTime();
  const renewed = createSigner({ alg: 'ES256', kid: first.kid });
  const client = await startClient(first);
  expect(await client.verdictOn(first.sign(claims()))).toBe('accepted');
  client.publish(renewed);
  passTime(31_000);
  expect(await client.verdictOn(renewed.sign(claims()))).toBe('accepted');
  expect(await client.verdictOn(first.sign(claims()))).toBe(SIGNATURE);
});

test('after a set with too many keys without a kid, a smaller one is fetched, once they are not the newest', async () => {
  stopTime();
  const nameless = Array.from({ length: 6 }, () => createSigner({ alg: 'ES256' }));
  const client = await startClient(...nameless);
  const assertion = () => (nameless[5] as Signer).sign(claims(), { kid: undefined });
  const single = "its kid must single out one of the client's keys for ES256";
  for (const _ of [1, 2]) expect(await client.verdictOn(assertion())).toBe(single);
  passTime(31_000);
  expect(await client.verdictOn(assertion())).toBe(single);
  client.publish(...nameless.slice(1));
  passTime(31_000);
  expect(await client.verdictOn(assertion())).toBe('accepted');
  expect(client.requests).toBe(3);
});

test('forged assertions cause one fetch in a cool-down', async () => {
  stopTime();
  const client = await startClient(first);
  const forge = () => client.verdictOn(second.sign(claims()));
  for (let i = 0; i < 10; i += 1) expect(await forge()).toBe(SIGNATURE);
  expect(client.requests).toBe(1);
  passTime(31_000);
  for (let i = 0; i < 10; i += 1) expect(await forge()).toBe(SIGNATURE);
  expect(client.requests).toBe(2);
});

test('an assertion with wrong claims causes no fetch', async () => {
  const client = await startClient(first);
  expect(await client.verdictOn(first.sign(claims({ exp: 1 })))).toBe('it has expired');
  expect(client.requests).toBe(0);
});

test('a withdrawn key is refused after an hour, whatever the key server says', async () => {
  stopTime();
  const client = await startClient(first);
  client.answer((_req, res) => {
    res.setHeader('cache-control', 'max-age=86400');
    jsonOf([first])(_req, res);
  });
  expect(await client.verdictOn(first.sign(claims()))).toBe('accepted');
  client.publish(second);
  passTime(3_601_000);
  expect(await client.verdictOn(first.sign(claims()))).toBe(SIGNATURE);
});

test('while the key server is down, known keys are used; an unknown one, which may be new, is answered 503', async () => {
  stopTime();
  const client = await startClient(first);
  expect(await client.verdictOn(first.sign(claims()))).toBe('accepted');
  await client.goDown();
  passTime(31_000);
  expect(await client.verdictOn(first.sign(claims()))).toBe('accepted');
  expect(await client.verdictOn(second.sign(claims()))).toBe(UNAVAILABLE);
});

const REFUSED = '401 invalid_client: The client metadata document must';
const reply =
  (status: number, body = '', headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  (...[, res]: Parameters<RequestListener>) =>
    void res.writeHead(status, headers).end(body);

test.each<[what: string, answer: RequestListener, verdict: string]>([
  ['500', reply(500), UNAVAILABLE],
  ['a cut connection', (req) => void req.socket.destroy(), UNAVAILABLE],
  ['404', reply(404), `${REFUSED} be served with status 200, without a redirect`],
  [
    'a redirect',
    reply(302, '', { location: 'https://evil.example' }),
    `${REFUSED} be served with status 200, without a redirect`,
  ],
  [
    'a page',
    reply(200, '{"keys":[]}', { 'content-type': 'text/html' }),
    `${REFUSED} have the Content-Type application/json`,
  ],
  ['no JSON', reply(200, 'x'), `${REFUSED} be one JSON object in UTF-8, without a member that appears twice`],
  ['no key set', reply(200, '{"keys":1}'), `${REFUSED} name a jwks_uri with a key set: an object with keys`],
  [
    'a key set of more than 16 KiB',
    reply(200, JSON.stringify({ keys: [first.jwk], more: 'x'.repeat(16_384) })),
    `${REFUSED} have at most 16384 bytes, also after decompression`,
  ],
])('a key server that answers with %s', async (_what, answer, verdict) => {
  const client = await startClient();
  client.answer(answer);
  expect(await client.verdictOn(first.sign(claims()))).toBe(verdict);
});

test.each([
  '127.0.0.1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.100.100.200',
  '0.0.0.0',
  '[::1]',
  '[fd00::1]',
  '[::ffff:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  'localhost',
  'name-of-a-private-address.example',
])('a jwks_uri at %s is not called', async (host) => {
  let requests = 0;
  const server = createServer((_req, res) => {
    requests += 1;
    res.end();
  });
  await listen(server);
  onTestFinished(() => stop(server));
  const { port } = server.address() as AddressInfo;
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const documents = createClientDocuments({ allow: undefined }, { hostname: 'mcp.example' }, { ...INTERNET, resolve });
  const verifier = createVerifier({ keySets: createClientKeySets(documents) });
  const client = { url: CLIENT, keys: { jwksUri: new URL(`https://${host}:${port}/jwks.json`) } };
  const expected = `${REFUSED} be on a public address`;
  expect(await verdictOn(first.sign(claims()), client, verifier)).toBe(expected);
  expect(requests).toBe(0);
});
