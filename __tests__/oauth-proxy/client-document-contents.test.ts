import { expect, test } from 'vitest';
import { REDIRECT_URIS } from '../../src/oauth-proxy/client-members.js';
import { CALLER, documentsOf, documentText, refusalOf, sendJson, serveDocuments } from '../support/document-host.js';

type Members = Readonly<Record<string, unknown>>;

const JWKS = { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }] };
const JWKS_URI = 'https://keys.example/jwks.json';

async function read(members: Members) {
  const server = await serveDocuments((_req, res, url) => sendJson(res, documentText(url, members)));
  return documentsOf().get(server.url(), CALLER);
}

test('a document is read with its name, redirect URIs and members, and without its logo', async () => {
  const server = await serveDocuments((_req, res, url) =>
    sendJson(
      res,
      documentText(url, {
        client_name: 'x'.repeat(101),
        client_uri: 'https://app.example/',
        logo_uri: 'https://app.example/logo.svg',
        tos_uri: 'javascript:alert(1)',
        scope: 'a b',
        software_id: 7,
        redirect_uris: ['https://app.example/cb', 'http://127.0.0.1/cb', 'app.example:/cb'],
        unknown: { a: 1 },
      }),
    ),
  );
  expect(await documentsOf().get(server.url(), CALLER)).toEqual({
    url: server.url(),
    host: `app.clients.example:${server.port}`,
    name: 'x'.repeat(100),
    redirectUris: ['https://app.example/cb', 'http://127.0.0.1/cb', 'app.example:/cb'],
    keys: undefined,
    members: { client_name: 'x'.repeat(101), client_uri: 'https://app.example/', scope: 'a b' },
  });
});

test.each<[what: string, members: Members, keys: unknown]>([
  ['no method', {}, undefined],
  ['none', { token_endpoint_auth_method: 'none' }, undefined],
  ['keys that it does not use', { token_endpoint_auth_method: 'none', jwks_uri: JWKS_URI }, undefined],
  ['keys in it', { token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS }, { jwks: JWKS }],
  [
    'the URL of keys',
    { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: JWKS_URI },
    { jwksUri: new URL(JWKS_URI) },
  ],
  [
    "ChatGPT's members",
    {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      token_endpoint_auth_signing_alg: 'RS256',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      jwks_uri: JWKS_URI,
    },
    { jwksUri: new URL(JWKS_URI) },
  ],
  ['a list alone', { token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'], jwks: JWKS }, { jwks: JWKS }],
  [
    'a list that begins with none',
    { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks: JWKS },
    undefined,
  ],
  [
    'a method without keys, and none',
    { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_methods_supported: ['none'] },
    undefined,
  ],
  [
    'a method that is not known here, and none',
    { token_endpoint_auth_method: 'attest_jwt_client_auth', token_endpoint_auth_methods_supported: ['none'] },
    undefined,
  ],
])('a client authenticates with the first method that can be used: %s', async (_what, members, keys) => {
  expect((await read(members)).keys).toEqual(keys);
});

const NO_SECRET = 'have neither client_secret nor client_secret_expires_at: no secret can be shared';
const SHARED = 'not name a token_endpoint_auth_method with a shared secret';
const METHODS =
  'offer the token_endpoint_auth_method none, or private_key_jwt with either jwks or jwks_uri, an https URL with a path';
const URIS = `have redirect_uris that are ${REDIRECT_URIS}`;
const SAME = 'have a client_id that equals its URL, byte for byte';

test.each<[what: string, members: Members, rule: string]>([
  ['no client_id', { client_id: undefined }, SAME],
  ['another client_id', { client_id: 'https://app.example/client.json' }, SAME],
  ['a client_id that is no string', { client_id: 7 }, SAME],
  ['a secret', { client_secret: 'a' }, NO_SECRET],
  ['an empty secret', { client_secret: '' }, NO_SECRET],
  ['a secret that is null', { client_secret: null }, NO_SECRET],
  ['the end of a secret', { client_secret_expires_at: 0 }, NO_SECRET],
  ['client_secret_basic', { token_endpoint_auth_method: 'client_secret_basic' }, SHARED],
  ['client_secret_post', { token_endpoint_auth_method: 'client_secret_post' }, SHARED],
  ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }, SHARED],
  [
    'a shared secret, and none in the list',
    { token_endpoint_auth_method: 'client_secret_post', token_endpoint_auth_methods_supported: ['none'] },
    SHARED,
  ],
  ['only shared secrets in the list', { token_endpoint_auth_methods_supported: ['client_secret_basic'] }, METHODS],
  ['an unknown method', { token_endpoint_auth_method: 'tls_client_auth' }, METHODS],
  ['a method that is null', { token_endpoint_auth_method: null }, METHODS],
  ['no keys', { token_endpoint_auth_method: 'private_key_jwt' }, METHODS],
  ['keys twice', { token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS, jwks_uri: JWKS_URI }, METHODS],
  ['keys that are no set', { token_endpoint_auth_method: 'private_key_jwt', jwks: [] }, METHODS],
  ['keys that are no objects', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: ['a'] } }, METHODS],
  ['keys over http', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://keys.example/k' }, METHODS],
  [
    'keys on port 22',
    { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://keys.example:22/k' },
    METHODS,
  ],
  ['no redirect URIs', { redirect_uris: undefined }, URIS],
  ['an empty list of redirect URIs', { redirect_uris: [] }, URIS],
  ['a redirect URI outside of a list', { redirect_uris: 'https://app.example/cb' }, URIS],
  ['eleven redirect URIs', { redirect_uris: Array.from({ length: 11 }, (_, i) => `https://app.example/${i}`) }, URIS],
  ['a redirect URI with javascript:', { redirect_uris: ['https://app.example/cb', 'javascript:alert(1)'] }, URIS],
  ['a redirect URI with http', { redirect_uris: ['http://app.example/cb'] }, URIS],
  ['a redirect URI with a fragment', { redirect_uris: ['https://app.example/cb#a'] }, URIS],
  ['a redirect URI that is no string', { redirect_uris: [{}] }, URIS],
  ['grant types without codes', { grant_types: ['client_credentials'] }, 'have authorization_code in grant_types'],
  ['grant types outside of a list', { grant_types: 'authorization_code' }, 'have authorization_code in grant_types'],
  ['response types without codes', { response_types: ['token'] }, 'have code in response_types'],
])('a document with %s is refused', async (_what, members, rule) => {
  const { code, message, log } = await refusalOf(read(members));
  expect({ code, message }).toEqual({ code: 'invalid_client', message: `The client metadata document must ${rule}` });
  expect(log).toEqual({
    reason: expect.stringMatching(/^The client metadata document must .* \(app\.clients\.example:\d+\)$/),
    advice:
      'tell the publisher of the document, or set oauthProxy.clientDocuments.enabled to false so that clients register',
  });
});
