import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { LookupFunction } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CLIENT_ID_URL } from '../../src/oauth/client-id-url.js';
import { createClientDocuments } from '../../src/oauth-proxy/documents/client-documents.js';
import { INTERNET } from '../../src/oauth-proxy/documents/document-fetch.js';
import { isPublicAddress } from '../../src/upstream/public-address.js';
import { NAMED_SERVER } from '../support/certificates.js';
import { CALLER, documentsOf, refusalOf, serveDocuments } from '../support/document-host.js';

const WRONG_URL = `A client_id that is a URL must be ${CLIENT_ID_URL}`;
const NOT_PUBLIC = 'The client metadata document must be on a public address';

/** Hosts of a client id, and the message of the refusal. None may be connected to. */
const hosts: readonly (readonly [host: string, message: string])[] = [
  ...['127.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '0', '127.0.0.1.'].map(
    (host) => [host, WRONG_URL] as const,
  ),
  ...['[::ffff:127.0.0.1]', '[0:0:0:0:0:0:0:1]', '[::FFFF:7F00:1]', '[64:ff9b::127.0.0.1]', '[fe80::1%25lo]'].map(
    (host) => [host, WRONG_URL] as const,
  ),
  ...['①②⑦.0.0.1', '127。0。0。1', 'user@127.0.0.1', 'LOCALHOST', 'app.example#@127.0.0.1'].map(
    (host) => [host, WRONG_URL] as const,
  ),
  ...[
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '198.18.0.1',
  ].map((host) => [host, NOT_PUBLIC] as const),
  // Metadata services.
  ...['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '[fd00:ec2::254]', '[fe80::a9fe:a9fe]'].map(
    (host) => [host, NOT_PUBLIC] as const,
  ),
  ...['224.0.0.1', '255.255.255.255', '240.0.0.1', '192.0.2.1', '192.88.99.1', '203.0.113.1', '198.51.100.1'].map(
    (host) => [host, NOT_PUBLIC] as const,
  ),
  ...[
    '[::]',
    '[::1]',
    '[fc00::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[100::1]',
    '[2001:db8::1]',
    '[3fff::1]',
    '[5f00::1]',
  ].map((host) => [host, NOT_PUBLIC] as const),
  // IPv4 in IPv6: mapped, compatible, translated, tunnelled.
  ...['[::ffff:7f00:1]', '[::ffff:a9fe:a9fe]', '[::7f00:1]', '[::ffff:0:7f00:1]', '[64:ff9b::7f00:1]'].map(
    (host) => [host, NOT_PUBLIC] as const,
  ),
  ...['[64:ff9b::a9fe:a9fe]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2002:a9fe:a9fe::1]', '[2001::1]'].map(
    (host) => [host, NOT_PUBLIC] as const,
  ),
];

test.each(hosts)('a client id on %s is refused, and not called', async (host, message) => {
  const server = await serveDocuments();
  const documents = documentsOf({ network: { isPublic: isPublicAddress } });
  expect(await refusalOf(documents.get(server.url('/c', host), CALLER))).toMatchObject({
    code: 'invalid_client',
    message,
  });
  expect(server.requests).toEqual([]);
});

/** Addresses of a name. */
const names: readonly (readonly string[])[] = [
  ...['127.0.0.1', '169.254.169.254', '10.1.2.3', '192.168.1.1', '100.64.0.1', '0.0.0.0', '224.0.0.1'].map((each) => [
    each,
  ]),
  ...['::1', '::', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', '::ffff:127.0.0.1', '64:ff9b::7f00:1'].map((each) => [
    each,
  ]),
  ...['64:ff9b:1::a00:1', '2002:7f00:1::', '2001:0:7f00:1::', '::127.0.0.1', '5f00::1', 'fec0::1'].map((each) => [
    each,
  ]),
  ['1.1.1.1', '127.0.0.1'],
  ['2606:4700::1111', '::1'],
  ['1.1.1.1', '2606:4700::1111', '10.0.0.1'],
];

test.each(names.map((addresses) => [addresses.join(' and '), addresses] as const))(
  'a name that resolves to %s is not called',
  async (_what, addresses) => {
    const server = await serveDocuments();
    const resolve = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const documents = documentsOf({ network: { isPublic: isPublicAddress, resolve } });
    const { message, log } = await refusalOf(documents.get(server.url(), CALLER));
    expect(message).toBe(NOT_PUBLIC);
    // The operator learns the address, and the client does not.
    expect(log.reason).toBe(
      `${NOT_PUBLIC} (app.clients.example:${server.port}: not called, since app.clients.example (${addresses.find((each) => !isPublicAddress(each))}) is not a public address)`,
    );
    expect(server.requests).toEqual([]);
  },
);

test('a name is resolved once, and the address that was checked is connected to', async () => {
  const server = await serveDocuments();
  const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.2'];
  const resolved: string[] = [];
  const resolve = async (name: string) => {
    resolved.push(name);
    return [{ address: addresses.shift() ?? '', family: 4 }];
  };
  const documents = documentsOf({ network: { resolve } });
  await documents.get(server.url(), CALLER);
  expect(resolved).toEqual(['app.clients.example']);
  // The next fetch resolves it again, and refuses the other address.
  expect(await refusalOf(documents.get(server.url('/other'), CALLER))).toMatchObject({ message: NOT_PUBLIC });
  expect(server.requests).toEqual([server.url()]);
});

describe('where the resource of the server is on loopback', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]'])(
    'documents on loopback are fetched: resource on %s',
    async (hostname) => {
      const server = await serveDocuments();
      const network = { isPublic: isPublicAddress };
      for (const host of ['127.0.0.1', 'app.clients.example']) {
        const { url } = await documentsOf({ hostname, network }).get(server.url('/c', host), CALLER);
        expect(url).toBe(server.url('/c', host));
      }
    },
  );

  test('names of this machine are known, although DNS does not have them', async () => {
    const server = await serveDocuments();
    const documents = createClientDocuments(
      { allow: undefined },
      { hostname: 'localhost' },
      { ...INTERNET, ca: NAMED_SERVER.cert, env: {} },
    );
    expect(await documents.get(server.url('/c', 'localhost'), CALLER)).toMatchObject({
      host: `localhost:${server.port}`,
    });
  });

  test.each(['10.0.0.1', '169.254.169.254', '192.168.0.1', '0.0.0.0', '[fd00:ec2::254]', '[::ffff:a00:1]'])(
    '%s is not called',
    async (host) => {
      const documents = documentsOf({ hostname: 'localhost', network: { isPublic: isPublicAddress } });
      expect(await refusalOf(documents.get(`https://${host}:8443/c`, CALLER))).toMatchObject({ message: NOT_PUBLIC });
    },
  );
});

test('an open connection of this process is not used, since its address has not been checked', async () => {
  const server = await serveDocuments();
  // The application has called the same name, and its connection is kept alive.
  const calling = get(server.url(), {
    ca: NAMED_SERVER.cert,
    lookup: ((_name, _options, callback) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }])) satisfies LookupFunction,
  });
  const [response] = (await once(calling, 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
  const documents = documentsOf({ network: { isPublic: isPublicAddress } });
  expect(await refusalOf(documents.get(server.url(), CALLER))).toMatchObject({ message: NOT_PUBLIC });
  expect(server.requests).toHaveLength(1);
});
