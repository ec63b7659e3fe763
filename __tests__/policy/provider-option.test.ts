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

const UNUSED = 'left out where oauthProxy is false: clients log in at the issuer itself. Remove it.';
const CLIENT_FIX = 'Give the id of the client that you registered there, or several of them in "audiences".';

test.each<[changes: Record<string, unknown>, message: string]>([
  [
    { provider: { keycloak: null } },
    'option "provider.keycloak" must be an object, but got null. Write { keycloak: {} }.',
  ],
  ...['clientId', 'clientSecret', 'audiences', 'audienceClaim'].map((name): [Record<string, unknown>, string] => [
    { provider: { entra: { [name]: 'hush' } } },
    `option "provider.entra" must be an object without "${name}", which is an option of the policy. Write ${name} next to "provider", not inside it.`,
  ]),
  [
    { provider: { standard: { audiance: true } } },
    'option "provider.standard.audiance" must be a known option, but got "audiance". Did you mean "audience"?',
  ],
  [
    { provider: { standard: { audience: 'https://api.example' } } },
    'option "provider.standard.audience" must be true or false, but got "https://api.example". Leave it out for false.',
  ],
  [
    { provider: { standard: { resource: 'no' } } },
    'option "provider.standard.resource" must be true or false, but got "no". Leave it out for true.',
  ],
  [
    { provider: { standard: { registration: false } } },
    'option "clientId" must be given, since clients cannot register themselves at this provider, but got undefined. Register a client there by hand, and give its id.',
  ],
  [
    { provider: { standard: { registrationMembers: ['client_name', 'jwks'] } } },
    'option "provider.standard.registrationMembers" must be a list of members that clients register, but got "jwks". Write some of client_name, client_uri, logo_uri, tos_uri, policy_uri, contacts, scope, software_id, software_version.',
  ],
  [
    { provider: { standard: { pkce: null } } },
    'option "provider.standard.pkce" must be true or false, but got null. Leave it out for true.',
  ],
  [
    { provider: { standard: { prompts: ['login consent'] } } },
    'option "provider.standard.prompts" must be a list with one value of prompt in each entry, but got ["login consent"]. Write ["none", "login"], for example; [] if the server accepts none.',
  ],
  [
    { provider: { standard: { severalPrompts: 1 } } },
    'option "provider.standard.severalPrompts" must be true or false, but got 1. Leave it out for true.',
  ],
  [
    { provider: { standard: { refreshScopes: true } } },
    'option "provider.standard.refreshScopes" must be one of "fewer", "always", "never", but got true. Leave it out for "fewer".',
  ],
  [
    { provider: { standard: { addedScopes: 'openid' } } },
    'option "provider.standard.addedScopes" must be an array of non-empty strings, but got "openid". Write a list of scopes: ["openid"].',
  ],
  [
    { provider: { standard: { omittedScopes: ['a b'] } } },
    'option "provider.standard.omittedScopes" must be an array of scopes without spaces, quotes or backslashes, but got ["a b"]. Write a list of scopes: ["openid"].',
  ],
  [
    { provider: { standard: { metadata: 'oidc' } } },
    'option "provider.standard.metadata" must be one of "any", "oauth", "openid", but got "oidc". Leave it out for "any".',
  ],
  [
    { provider: { standard: { tokenEndpointAuthMethod: 'basic' } } },
    'option "provider.standard.tokenEndpointAuthMethod" must be one of "client_secret_basic", "client_secret_post", but got "basic". Leave it out for the way that the metadata announces.',
  ],
  [
    { provider: { entra: { resource: true } }, clientId: 'app' },
    'option "provider.entra.resource" must be false, since Entra ID refuses `resource` (AADSTS9010010), but got true. Leave it out for false.',
  ],
  [
    { provider: { cognito: { registration: true } }, clientId: 'app' },
    'option "provider.cognito.registration" must be false, since Cognito has no registration, but got true. Leave it out for false.',
  ],
  [
    { provider: { standard: { audience: true } }, audienceClaim: 'client_id', clientId: 'app' },
    'option "provider.standard.audience" must be false where audienceClaim is "client_id": servers write the audience of a login into "aud", but got true. Remove one of the two.',
  ],
  [
    { provider: { standard: { resource: false } }, oauthProxy: false },
    `option "provider.standard.resource" must be ${UNUSED}`,
  ],
  [
    { provider: 'cognito' },
    `option "clientId" must be given, since tokens name their client as the audience (client_id), but got undefined. ${CLIENT_FIX}`,
  ],
  [
    { provider: 'clerk', oauthProxy: false },
    `option "clientId" must be given, since tokens name their client as the audience (client_id), but got undefined. ${CLIENT_FIX}`,
  ],
  [
    { provider: 'cognito', clientId: 'app', audiences: ['https://mcp.example.com/mcp'] },
    'option "audiences" must be a list with clientId in it, since tokens name their client as the audience (client_id), but got ["https://mcp.example.com/mcp"]. Leave it out for clientId.',
  ],
  [
    { provider: { clerk: { registration: true } }, audiences: ['app'] },
    'option "clientId" must be given where audienceClaim is "client_id": the id of a client that registers itself is not in "audiences", but got undefined. Register a client there by hand, and give its id; or name another claim in audienceClaim.',
  ],
])('the settings %j are refused', (changes, message) => {
  const policy = { ...policyWith(undefined), ...changes } as unknown as McpAuthOptions;
  expect(() => mcpAuth(policy)).toThrow(`mcpAuth(): ${message}`);
});

test.each<[changes: Record<string, unknown>]>([
  [{ provider: { standard: { metadata: 'openid' } }, oauthProxy: false }],
  [{ provider: { cognito: { resource: true } }, clientId: 'app' }],
  [{ provider: 'cognito', audiences: ['app', 'other'], clientId: 'app' }],
  [{ provider: 'clerk', audiences: ['app'], oauthProxy: false }],
  [{ provider: { clerk: { registration: true } }, audienceClaim: 'iss', audiences: ['https://as.example'] }],
  [{ provider: { okta: {} }, audienceClaim: 'cid', audiences: ['app'] }],
])('accepts %j', (changes) => {
  mcpAuth({ ...policyWith(undefined), ...changes } as unknown as McpAuthOptions);
});

test.each(['keycloak', { keycloak: {} }])(
  'the provider %j logs clients in through the OAuth proxy',
  async (provider) => {
    const app = express().use(mcpAuth(policyWith(provider)));
    const { body } = await request(app).get('/.well-known/oauth-protected-resource/mcp');
    expect(body.authorization_servers).toEqual([new URL(body.resource).href]);
  },
);
