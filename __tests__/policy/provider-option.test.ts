import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { PROVIDERS } from '../../src/providers/providers.js';
import { configText } from '../support/config-text.js';
import { good } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const FIX = 'Write "keycloak", or another provider; leave it out if the issuer follows the MCP specification.';
const STANDARD_FIX =
  'Write "standard" for any other server without registration; leave it out if the issuer follows the MCP specification.';
const KNOWN = `one of ${Object.keys(PROVIDERS)
  .map((name) => `"${name}"`)
  .join(', ')}`;

const SLACK_FIX =
  'The access tokens of Slack are opaque, not JWTs. Write { oauth2: { … } } with its endpoints: users log in there, and this server issues the tokens.';

function login(given: string, name: string): string {
  const fix = `Write provider: { ${name}: { allow: (profile) => … } }: users log in there, and this server issues the tokens.`;
  return `must be an object where users log in at an identity provider, but got "${given}". ${fix}`;
}

function policyWith(provider: unknown): McpAuthOptions {
  const oauthProxy = { secret: 'a secret of thirty-two characters' };
  return { ...good, issuer: 'https://as.example', provider, oauthProxy } as unknown as McpAuthOptions;
}

test.each<[provider: unknown, message: string]>([
  [7, `must be an object, but got 7. ${FIX}`],
  ['', `must be ${KNOWN}, but got "". ${STANDARD_FIX}`],
  ['ory', `must be ${KNOWN}, but got "ory". ${STANDARD_FIX}`],
  ['google', login('google', 'google')],
  ['GitHub', login('GitHub', 'github')],
  ['oauth2', login('oauth2', 'oauth2')],
  ['Slack', `must be ${KNOWN}, but got "Slack". ${SLACK_FIX}`],
  ['constructor', `must be ${KNOWN}, but got "constructor". ${STANDARD_FIX}`],
  [{ constructor: {} }, `must be ${KNOWN}, but got "constructor". ${STANDARD_FIX}`],
  ['keycloack', `must be ${KNOWN}, but got "keycloack". Did you mean "keycloak"?`],
  [{ keycloack: {} }, `must be ${KNOWN}, but got "keycloack". Did you mean "keycloak"?`],
  [{}, `must be exactly one provider, but got []. ${FIX}`],
  [{ keycloak: {}, auth0: {} }, `must be exactly one provider, but got ["keycloak","auth0"]. ${FIX}`],
])('the provider %j is refused', (provider, message) => {
  for (const construct of [mcpAuth, protectedResourceMetadata]) {
    expect(() => construct(policyWith(provider))).toThrow(`${construct.name}(): option "provider" ${message}`);
  }
});

test('a configuration file takes a provider by its name, and tokens that are bound', async () => {
  const members = { ...policyWith('keycloak'), senderConstraint: { dpop: {} } };
  const text = configText({ route: { policies: { mcpAuthentication: members } } });
  const { lines, logger } = createRecordingLogger();
  await createGateway(parseConfigFile(text, '/'), logger).close();
  expect(lines).toEqual([]);
});

test.each<[provider: unknown, message: string]>([
  [{ keycloak: null }, 'option "provider.keycloak" must be an object, but got null. Write { keycloak: {} }.'],
  [
    { entra: { clientSecret: 'hush' } },
    'option "provider.entra" must be an empty object, but got {"clientSecret":"…"}. Write clientId and clientSecret next to "provider", not inside it.',
  ],
])('the settings of the provider %j are refused', (provider, message) => {
  expect(() => mcpAuth(policyWith(provider))).toThrow(`mcpAuth(): ${message}`);
});

test.each(['keycloak', { keycloak: {} }])(
  'the provider %j logs clients in through the OAuth proxy',
  async (provider) => {
    const app = express().use(mcpAuth(policyWith(provider)));
    const { body } = await request(app).get('/.well-known/oauth-protected-resource/mcp');
    expect(body.authorization_servers).toEqual([new URL(body.resource).href]);
  },
);
