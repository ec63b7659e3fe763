import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigError, type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { blockToRun } from '../support/code-blocks.js';
import { good as common } from '../support/good-policy.js';

const SECRET = 'a secret of thirty-two characters';
const SHORT = 'this is too short';
const good = { ...common, issuer: 'https://as.example', provider: { keycloak: {} } };
const redirectUris = ['https://a.example/cb'];
const policyWith = (oauthProxy: object, changes: object = {}) =>
  ({ ...good, ...changes, oauthProxy: { secret: SECRET, ...oauthProxy } }) as unknown as McpAuthOptions;

const URIS_FIX =
  'Write the redirect URIs that the client shows or documents, such as "https://client.example/callback".';
const NO_URL_FIX = 'List the URL in oauthProxy.clientDocuments.allow: its document names the redirect URIs.';
const ID_FORM = 'must be given by client ids of 1 to 200 printable ASCII characters, but got';
const URI_FORM =
  'must be a whole https URI, one of http on loopback, or one of a private-use scheme, without fragment and "*", but got';

describe('clients that are refused at start', () => {
  test.each<[string, unknown, string]>([
    [
      'https://a.example/c',
      { redirectUris },
      `clients" must be given by client ids that are no URLs, but got "https://a.example/c". ${NO_URL_FIX}`,
    ],
    ['ü', { redirectUris }, `clients" ${ID_FORM} "ü". Choose another id.`],
    ['', { redirectUris }, `clients" ${ID_FORM} "". Choose another id.`],
    [
      'n8n',
      'https://a.example/cb',
      'clients.n8n" must be an object. Write { redirectUris: ["https://client.example/callback"] }.',
    ],
    ['n8n', {}, `clients.n8n.redirectUris" must be an array of non-empty strings, but got undefined. ${URIS_FIX}`],
    [
      'n8n',
      { redirectUris: [] },
      `clients.n8n.redirectUris" must be a list of at least one redirect URI, but got []. ${URIS_FIX}`,
    ],
    [
      'n8n',
      { redirectUris: [...redirectUris, 'http://a.example/'] },
      `clients.n8n.redirectUris[1]" ${URI_FORM} "http://a.example/". ${URIS_FIX}`,
    ],
    [
      'n8n',
      { redirectUris: ['https://a.example/*'] },
      `clients.n8n.redirectUris[0]" ${URI_FORM} "https://a.example/*". ${URIS_FIX}`,
    ],
    [
      'n8n',
      { redirectUris, clientSecret: SHORT },
      'clients.n8n.clientSecret" must be left out. Write secret: the one that this client must send.',
    ],
    [
      'n8n',
      { redirectUris, secret: SHORT },
      'clients.n8n.secret" must be a string of at least 32 characters. Print one with: openssl rand -base64 32',
    ],
    [
      'n8n',
      { redirectUris, secrets: [SHORT] },
      'clients.n8n.secrets" must be a known option, but got "secrets". Did you mean "secret"?',
    ],
  ])('%j: %j', (id, client, message) => {
    const policy = policyWith({ clients: { [id]: client } });
    expect(() => mcpAuth(policy)).toThrow(ConfigError);
    expect(() => mcpAuth(policy)).toThrow(`mcpAuth(): option "oauthProxy.${message}`);
    expect(() => mcpAuth(policy)).not.toThrow(SHORT);
  });

  test.each<[string, object, object, string]>([
    [
      'a list',
      { clients: [] },
      {},
      'oauthProxy.clients" must be an object. Write { "my-id": { redirectUris: ["https://client.example/callback"] } }.',
    ],
    [
      'a document that is not allowed',
      {
        clientDocuments: {
          allow: ['https://a.example/*', 'https://b.example/c'],
          skipConsent: ['https://a.example/c', 'https://b.example/*'],
        },
      },
      {},
      'oauthProxy.clientDocuments.skipConsent" must be a list of clients that clientDocuments.allow has, too, but got "https://b.example/*". Add it to allow, or remove it here.',
    ],
    [
      'the secret of the wrong client',
      { clientSecret: SHORT },
      {},
      'oauthProxy.clientSecret" must be left out. Write clientId and clientSecret beside oauthProxy.',
    ],
    [
      'some where nothing can register them',
      { clients: { n8n: { redirectUris } } },
      { provider: 'okta' },
      'clientId" must be given together with oauthProxy.clients, since this provider registers no client without credentials, but got undefined. Register a client there by hand, and give its id.',
    ],
    [
      'none at all, without documents and registration',
      { registration: false, clientDocuments: { enabled: false } },
      {},
      'oauthProxy.registration" must be true where clientDocuments.enabled is false and "clients" is empty, since no client could get an id, but got false. Give clients an id in oauthProxy.clients.',
    ],
    [
      'registration that is a word',
      { registration: 'off' },
      {},
      'oauthProxy.registration" must be true or false, but got "off". Leave it out for true.',
    ],
    [
      'documents that are false',
      { clientDocuments: false },
      {},
      'oauthProxy.clientDocuments" must be an object, but got false. Write { enabled: false }, or { allow: ["https://claude.ai/*"] }.',
    ],
  ])('%s', (_what, oauthProxy, changes, message) => {
    expect(() => mcpAuth(policyWith(oauthProxy, changes))).toThrow(`mcpAuth(): option "${message}`);
  });
});

test.each<[what: string, changes: object]>([
  ['the OAuth proxy', { oauthProxy: SECRET }],
  ['the OAuth proxy, in a list', { oauthProxy: [SECRET] }],
  ['the secret, too deep', { oauthProxy: { secret: { value: SECRET } } }],
  ['the secret, in a list of lists', { oauthProxy: { secret: [[SECRET]] } }],
  ['the clients', { oauthProxy: { secret: SECRET, clients: SECRET } }],
  ['the clients, as a list', { oauthProxy: { secret: SECRET, clients: [{ id: 'a', secret: SECRET }] } }],
  ['a client', { oauthProxy: { secret: SECRET, clients: { a: SECRET } } }],
  ['a client, in a list', { oauthProxy: { secret: SECRET, clients: { a: [SECRET] } } }],
  [
    'the secret of a client, in a list',
    { oauthProxy: { secret: SECRET, clients: { a: { redirectUris, secret: [SECRET] } } } },
  ],
  [
    'another member of a client',
    { oauthProxy: { secret: SECRET, clients: { a: { redirectUris, clientSecret: SECRET } } } },
  ],
  ['clientSecret, in a list', { clientId: 'a', clientSecret: [SECRET] }],
  ['clientSecret, in an object', { clientId: 'a', clientSecret: { value: SECRET } }],
  ['introspection', { introspection: SECRET }],
  ['introspection, in a list', { introspection: [{ clientId: 'a', clientSecret: SECRET }] }],
  ['issuers', { issuer: undefined, issuers: { issuer: 'https://as.example', clientSecret: SECRET } }],
])('a secret in the wrong place is not quoted: %s', (_what, changes) => {
  const policy = { ...good, ...changes } as unknown as McpAuthOptions;
  expect(() => mcpAuth(policy)).toThrow(ConfigError);
  expect(() => mcpAuth(policy)).not.toThrow(SECRET);
});

test.each<[string, object, object]>([
  ['undefined', { clients: undefined, clientDocuments: undefined, registration: undefined }, {}],
  ['documents alone', { registration: false }, {}],
  ['clients alone', { registration: false, clientDocuments: { enabled: false }, clients: { a: { redirectUris } } }, {}],
  ['any id', { clients: { ' %+:~"': { redirectUris: ['cursor://a/cb', 'http://localhost'] } } }, {}],
  ['clients that share one', { clients: { a: { redirectUris } } }, { provider: 'okta', clientId: 'a' }],
])('accepted: %s', (_what, oauthProxy, changes) => {
  expect(() => mcpAuth(policyWith(oauthProxy, changes))).not.toThrow();
});

test('docs/providers.md: the three ways in which a client gets its id', () => {
  const { oauthProxy } = parse(blockToRun('docs/providers.md', 'ways').replace(/\$\{\w+\}/g, SECRET));
  expect(resolveAuth('mcpAuth()', policyWith(oauthProxy)).oauthProxy).toMatchObject({
    clientDocuments: { enabled: true, allow: ['https://claude.ai/*', 'https://chatgpt.com/*'] },
    registration: false,
  });
});
