import { expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { good } from '../support/good-policy.js';

const FIX = 'must be a secret, or left out. It is undefined: set the environment variable that it comes from.';
const redirectUris = ['https://client.example/cb'];
const login = { ...good, provider: 'entra', clientId: 'mcp' };

test.each<[string, Record<string, unknown>]>([
  ['secret', { ...good, secret: undefined }],
  ['clientSecret', { ...login, clientSecret: undefined }],
  ['oauthProxy.secret', { ...login, oauthProxy: { secret: undefined } }],
  [
    'oauthProxy.clients.my-id.secret',
    { ...login, oauthProxy: { clients: { 'my-id': { redirectUris, secret: undefined } } } },
  ],
  [
    'issuers[0].clientSecret',
    {
      resourceMetadata: good.resourceMetadata,
      issuers: [{ issuer: 'https://as.example', provider: 'entra', clientId: 'mcp', clientSecret: undefined }],
    },
  ],
])('%s is refused if it is undefined, as an environment variable that is not set', (option, given) => {
  expect(() => mcpAuth(given as unknown as McpAuthOptions)).toThrow(`option "${option}" ${FIX}`);
});
