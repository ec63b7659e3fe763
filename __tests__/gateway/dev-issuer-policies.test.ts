import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { resourcesOf, withDevIssuer } from '../../src/gateway/config/dev-issuer-policies.js';
import { devIssuerStandIn } from '../../src/gateway/dev-issuer/dev-issuer.js';
import { scopesFor } from '../../src/gateway/dev-issuer/dev-resource.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { configText, route } from '../support/config-text.js';
import { ROOT } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const devIssuer = devIssuerStandIn(9000);
const jwks = { url: 'https://issuer.example/jwks' };
const resourceMetadata = { resource: 'http://localhost:3000/mcp' };

/** The issuers that a file with this policy trusts with `--dev-issuer`. */
async function issuersOf(text: string, folder = ROOT) {
  const config = withDevIssuer(parseConfigFile(text, folder), devIssuer);
  await createGateway(config, createRecordingLogger().logger).close();
  const { policy } = config.binds[0]?.listeners[0]?.routes[0]?.mcpAuthentication ?? {};
  return policy?.issuers as Record<string, unknown>[];
}

const textFor = (policy: object) =>
  configText({ route: { policies: { mcpAuthentication: { resourceMetadata, ...policy } } } });

test.each(['dev-issuer', 'keycloak', 'auth0', 'entra'])(
  'samples/%s/config.yaml starts with --dev-issuer',
  async (name) => {
    const folder = `${ROOT}samples/${name}`;
    const [first] = await issuersOf(readFileSync(`${folder}/config.yaml`, 'utf8'), folder);
    expect(first?.issuer).toBe('http://localhost:9000');
  },
);

test('the smallest file trusts only the development issuer', async () => {
  const text = textFor({});
  expect(await issuersOf(text)).toHaveLength(1);
  expect(resourcesOf(parseConfigFile(text, ROOT))).toEqual([
    { resource: resourceMetadata.resource, scopes: [], ruleScopes: [] },
  ]);
});

test.each<[place: string, policies: object, scopes: string[], ruleScopes: string[]]>([
  ['requiredScopes', { mcpAuthentication: { resourceMetadata, requiredScopes: ['a'] } }, ['a'], []],
  ['challengeScopes', { mcpAuthentication: { resourceMetadata, challengeScopes: ['a'] } }, ['a'], []],
  [
    'scopesSupported',
    { mcpAuthentication: { resourceMetadata: { ...resourceMetadata, scopesSupported: ['a'] } } },
    ['a'],
    [],
  ],
  ['a method of mcpScopes', { mcpScopes: { 'tools/list': ['a'], 'tools/call': false } }, [], ['a']],
  ['a tool of mcpScopes', { mcpScopes: { 'tools/call': { x: ['a', 'b'], y: ['a'], z: true } } }, [], ['a', 'b']],
  [
    'mcpAuthorization',
    { mcpAuthorization: { rules: ['true', { allow: 'true', scopes: ['a'] }, { deny: 'false' }] } },
    [],
    ['a'],
  ],
])('the development issuer grants the scopes of %s', (_place, policies, scopes, ruleScopes) => {
  const text = configText({ route: { policies: { mcpAuthentication: { resourceMetadata }, ...policies } } });
  expect(resourcesOf(parseConfigFile(text, ROOT))).toEqual([
    { resource: resourceMetadata.resource, scopes, ruleScopes },
  ]);
});

test('the development issuer grants the scopes of every route with the same resource', () => {
  const resources = ['a', 'b'].map((scope) => ({ resource: 'https://x/mcp', scopes: [scope], ruleScopes: [] }));
  expect(scopesFor(resources, 'https://x/mcp/')).toEqual(['a', 'b']);
  expect(scopesFor(resources, 'https://x/')).toBe(undefined);
});

const client = { clientId: 'id', clientSecret: 'secret' };
const ISSUER = 'https://issuer.example';

test.each([
  ['a client', { issuer: ISSUER, jwks, provider: { standard: {} }, ...client }],
  ['a client without a secret', { issuer: ISSUER, jwks, provider: { entra: {} }, clientId: 'id' }],
  [
    'a client of one of several issuers',
    { issuers: [{ issuer: ISSUER, jwks, provider: { standard: {} }, ...client }] },
  ],
  ['no client', { issuer: ISSUER, jwks }],
  ['switches', { issuer: ISSUER, jwks, provider: { standard: { audience: true, metadata: 'oauth' } } }],
  ['tokens that name the client', { issuer: ISSUER, jwks, provider: 'cognito', ...client }],
])('a file with %s starts, and tokens of its issuer stay good', async (_name, policy) => {
  const [first, own, ...others] = await issuersOf(textFor(policy));
  expect([first?.issuer, own?.issuer, others]).toEqual([devIssuer.issuer, ISSUER, []]);
  expect(own).not.toHaveProperty('clientId');
  expect(own).not.toHaveProperty('clientSecret');
});

test.each<[provider: unknown, own: object]>([
  ['cognito', { provider: 'cognito', audiences: ['id'], audienceClaim: 'client_id' }],
  [
    { cognito: { resource: true } },
    { provider: { cognito: {} }, audiences: [resourceMetadata.resource], audienceClaim: 'aud' },
  ],
  [
    { standard: { resource: false, metadata: 'openid' } },
    { provider: { standard: { metadata: 'openid' } }, audienceClaim: 'aud' },
  ],
])('the own issuer keeps audience and metadata: %j', async (provider, expected) => {
  const [, own] = await issuersOf(textFor({ issuer: ISSUER, jwks, provider, ...client }));
  expect(own).toMatchObject(expected);
});

test('a file that names the development issuer itself trusts it once', async () => {
  expect(
    await issuersOf(textFor({ issuer: devIssuer.issuer, jwks: { url: `${devIssuer.issuer}/jwks` } })),
  ).toHaveLength(1);
});

test.each([
  [{ issuer: ISSUER, jwks: { file: './none' } }, 'option "jwks.file"'],
  [{ issuer: ISSUER, jwks, audiences: [] }, 'option "audiences"'],
  [{ audiences: ['x'] }, 'option "issuer"'],
  [{ jwks }, 'option "issuer"'],
  [{ issuer: ISSUER, jwks, clientId: 'id' }, 'option "provider"'],
  [{ issuers: [{ issuer: ISSUER, jwks: { file: './none' } }] }, 'option "issuers[0].jwks.file"'],
  [
    {
      issuers: [
        { issuer: ISSUER, jwks },
        { issuer: ISSUER, jwks },
      ],
    },
    'option "issuers[1].issuer"',
  ],
  [{ issuers: [] }, 'option "issuers"'],
  [{ issuers: ISSUER }, 'option "issuers"'],
])('refused with the place that the file has: row %#', async (policy, place) => {
  const at = `${route}.policies.mcpAuthentication: mcpAuth(): ${place}`;
  await expect(issuersOf(textFor(policy))).rejects.toThrow(at);
});
