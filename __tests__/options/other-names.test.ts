import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { ConfigNode } from '../../src/gateway/config/config-node.js';
import { readCorsPolicy } from '../../src/gateway/config/cors-policy.js';
import { mcpAuth, mcpAuthorization, mcpCors, mcpHttpBackend, mcpScopes, mcpStdioBackend } from '../../src/index.js';
import { OTHER_NAMES } from '../../src/options/other-names.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { configText, route } from '../support/config-text.js';
import { good } from '../support/good-policy.js';

const DPOP =
  'senderConstraint: { dpop: {} } for "accept", senderConstraint: { dpop: { required: true } } for "require", and nothing for "off"';
const MTLS = 'senderConstraint: { mtls: { getCertificate: (req) => … } }';
const URL_OF_KEYS = 'jwks: { url: "https://…" }';

/** A word, a value that users give it, the option that is meant, and how that is written where its name does not say it. */
type Row = [word: string, value: unknown, option: string, write?: string];

const ofMcpAuth: readonly Row[] = [
  ['facade', { secret: 'x' }, 'oauthProxy'],
  ['verifiedTokens', false, 'tokenCache'],
  ['cache', { maxEntries: 1 }, 'tokenCache'],
  ['dpop', 'accept', 'senderConstraint.dpop', DPOP],
  ['dpop', 'off', 'senderConstraint.dpop', DPOP],
  ['dpop', 'require', 'senderConstraint.dpop', DPOP],
  ['mtls', { getCertificate: () => undefined }, 'senderConstraint.mtls', MTLS],
  ['jwksUri', 'https://as.example/keys', 'jwks.url', URL_OF_KEYS],
  ['jwks_uri', 'https://as.example/keys', 'jwks.url', URL_OF_KEYS],
  ['jwksUrl', 'https://as.example/keys', 'jwks.url', URL_OF_KEYS],
  [
    'requiredClaims',
    ['tid'],
    'jwtValidationOptions.requiredClaims',
    'jwtValidationOptions: { requiredClaims: ["exp", …] }',
  ],
  ['audience', 'api', 'audiences'],
  ['scopes', ['a'], 'requiredScopes'],
  ['scope', 'a', 'requiredScopes'],
  ['issuerBaseURL', 'https://as.example', 'issuer'],
  ['issuerUrl', 'https://as.example', 'issuer'],
  ['resource', 'https://mcp.example/mcp', 'resourceMetadata.resource', 'resourceMetadata: { resource: "https://…" }'],
  [
    'resourceServerUrl',
    'https://mcp.example/mcp',
    'resourceMetadata.resource',
    'resourceMetadata: { resource: "https://…" }',
  ],
  ['clockTolerance', 5, 'clockToleranceSeconds'],
];
const ofBackend: readonly Row[] = [
  ['cmd', 'npx', 'command'],
  ['warm', 1, 'warmChildren'],
  ['meta', () => ({}), 'requestMeta'],
  ['passMeta', ['a'], 'allowedClientMeta'],
  ['origins', ['https://a.example'], 'allowedOrigins'],
  ['allowOrigins', ['https://a.example'], 'allowedOrigins'],
];
const ofRemote: readonly Row[] = [
  ['target', 'https://mcp.example/mcp', 'url'],
  ['upstream', 'https://mcp.example/mcp', 'url'],
  ['endpoint', 'https://mcp.example/mcp', 'url'],
  ['serverUrl', 'https://mcp.example/mcp', 'url'],
  ['host', 'http://localhost:8000/mcp', 'url'],
  ['baseUrl', 'https://mcp.example/mcp', 'url'],
  ['token', 'abc', 'bearer'],
  ['bearerToken', 'abc', 'bearer'],
  ['accessToken', 'abc', 'bearer'],
  ['authToken', 'abc', 'bearer'],
  ['authorization', 'Bearer abc', 'bearer'],
  ['apiKey', 'abc', 'bearer'],
];
const ofCors: readonly Row[] = [
  ['origins', ['https://a.example'], 'allowedOrigins'],
  ['origin', /example/, 'allowedOrigins'],
  ['allowOrigins', ['*'], 'allowedOrigins'],
  ['allowHeaders', ['*'], 'allowedHeaders'],
  ['exposeHeaders', ['*'], 'exposedHeaders'],
  ['allowMethods', ['*'], 'methods'],
  ['allowCredentials', true, 'credentials'],
  ['maxAge', '10m', 'maxAgeSeconds'],
];
const meant = (option: string, ...words: string[]): Row[] => words.map((word) => [word, 'true', option]);
const ofRules = [...meant('rules', 'policies', 'matchExpressions'), ...meant('onDenied', 'onInsufficientScope')];
ofRules.push(...meant('backend', 'targets'));
const ofRule = [...meant('allow', 'permit', 'if', 'expression'), ...meant('deny', 'block', 'forbid')];
ofRule.push(...meant('require', 'must'), ...meant('scopes', 'requiredScopes'));
const inFile: readonly Row[] = [
  ['allowedOrigins', ['*'], 'allowOrigins'],
  ['origins', ['*'], 'allowOrigins'],
  ['origin', '*', 'allowOrigins'],
  ['allowedHeaders', ['*'], 'allowHeaders'],
  ['exposedHeaders', ['*'], 'exposeHeaders'],
  ['methods', ['*'], 'allowMethods'],
  ['credentials', true, 'allowCredentials'],
  ['maxAgeSeconds', 5, 'maxAge'],
];

const inRemoteTarget: readonly Row[] = [
  ['target', 'https://mcp.example/mcp', 'host'],
  ['upstream', 'https://mcp.example/mcp', 'host'],
  ['endpoint', 'https://mcp.example/mcp', 'host'],
  ['serverUrl', 'https://mcp.example/mcp', 'host'],
  ['baseUrl', 'https://mcp.example/mcp', 'host'],
];

describe.each<[name: string, make: (members: object) => unknown, rows: readonly Row[]]>([
  ['mcpAuth', (members) => mcpAuth({ ...good, ...members }), ofMcpAuth],
  ['mcpStdioBackend', (members) => mcpStdioBackend({ command: 'x', ...members }), ofBackend],
  ['mcpHttpBackend', (members) => mcpHttpBackend({ url: 'https://mcp.example', ...members }), ofRemote],
  ['mcpCors', (members) => mcpCors(members), ofCors],
  ['mcpAuthorization', (members) => mcpAuthorization({ rules: ['true'], ...members }), ofRules],
])('%s() refuses, with the name that is meant:', (name, make, rows) => {
  test.each(rows)('%s: %j', (word, value, option, write = `"${option}"`) => {
    const message = `${name}(): option "${word}" must be called "${option}", but got "${word}". Write ${write}.`;
    expect(() => make({ [word]: value })).toThrow(expect.objectContaining({ name: 'ConfigError', message }));
  });
});

test.each(ofRule)(
  'a rule of mcpAuthorization() with %s is refused, with the name that is meant',
  (word, value, option) => {
    const message = `must be called "${option}", but got "${word}". Write "${option}".`;
    expect(() => mcpAuthorization({ rules: [{ [word]: value } as never] })).toThrow(message);
  },
);

const LEFT_OUT: [word: string, value: unknown, fix: string][] = [
  ['verifier', { verifyAccessToken: () => undefined }, 'Give issuer: mcpAuth() verifies the tokens itself.'],
  [
    'algorithms',
    ['RS256'],
    'Each key decides which algorithms it verifies; shared secrets (HS256) and "none" are never accepted.',
  ],
];

test.each(LEFT_OUT)(
  'mcpAuth() refuses %s, which has no counterpart, and says what to do instead',
  (word, value, fix) => {
    expect(() => mcpAuth({ ...good, [word]: value })).toThrow(`mcpAuth(): option "${word}" must be left out. ${fix}`);
    const issuers = [{ issuer: 'https://as.example', audiences: ['api'], [word]: value }];
    const message = `mcpAuth(): option "issuers[0].${word}" must be left out. ${fix}`;
    expect(() => mcpAuth({ issuers } as never)).toThrow(message);
  },
);

test('a secret of one issuer, which mcpAuth() itself has for session ids, is refused with what to do instead', () => {
  const issuers = [{ issuer: 'https://as.example', audiences: ['api'], secret: 'hush' }];
  const fix =
    'Give jwks for the keys of tokens, since shared secrets (HS256) are never accepted; write oauthProxy: { secret: … } for the OAuth proxy.';
  expect(() => mcpAuth({ issuers } as never)).toThrow(`mcpAuth(): option "issuers[0].secret" must be left out. ${fix}`);
});

describe('a configuration file', () => {
  test.each(inFile)('refuses %s: %j of policies.cors, with the name that is meant', (word, value, option) => {
    const message = `cors.${word} is not supported. Write "${option}".`;
    expect(() => readCorsPolicy(new ConfigNode({ [word]: value }, 'cors'))).toThrow(message);
  });

  test.each(inRemoteTarget)('refuses %s: %j of a remote target, with the name that is meant', (word, value, option) => {
    const backends = [{ mcp: { targets: [{ mcp: { [word]: value } }] } }];
    const message = `${route}.backends[0].mcp.targets[0].mcp.${word} is not supported. Write "${option}".`;
    expect(() => parseConfigFile(configText({ route: { backends } }), '/')).toThrow(message);
  });

  test('refuses command, with the name that is meant', () => {
    const backends = [{ mcp: { targets: [{ stdio: { command: 'npx' } }] } }];
    const message = `${route}.backends[0].mcp.targets[0].stdio.command is not supported. Write "cmd".`;
    expect(() => parseConfigFile(configText({ route: { backends } }), '/')).toThrow(message);
  });
});

test('every word of the table has a row here', () => {
  const rows = [ofMcpAuth, ofBackend, ofRemote, ofCors, ofRules, ofRule, inFile, inRemoteTarget].flat();
  rows.push(['command', 'x', 'cmd']);
  const tested = rows.map(([word, , option]) => `${word} ${option}`);
  const known = OTHER_NAMES.flatMap(({ option, words }) => words.map((word) => `${word} ${option}`));
  expect(known.filter((pair) => !tested.includes(pair))).toEqual([]);
});

test('an entry of issuers knows the words of its own options', () => {
  const issuers = [{ issuer: 'https://as.example', audience: 'api' }];
  expect(() => mcpAuth({ issuers } as never)).toThrow(
    'mcpAuth(): option "issuers[0].audience" must be called "audiences", but got "audience". Write "audiences".',
  );
});

test('the policy of a test issuer is refused by mcpAuth() for its old names', () => {
  const policy = createTestIssuer().policy({ resource: 'https://mcp.example/mcp', ...{ facade: false } });
  expect(() => mcpAuth(policy)).toThrow('option "facade" must be called "oauthProxy"');
});

const RULE = 'must be scopes or a function, not a regular expression, but got "/^delete_/"';
const PATTERN = `Names are patterns, in which "*" stands for any text: { 'tools/call': { 'delete_*': ['files:write'] } }.`;

test.each<[what: string, make: () => unknown, message: string]>([
  [
    'a value that had another name',
    () => mcpScopes({ ping: ['a'] }, { onInsufficientScope: 'toolError' } as never),
    'mcpScopes(): option "onInsufficientScope" must be one of "challenge", "jsonRpcError", but got "toolError". Write "jsonRpcError".',
  ],
  [
    'a URL as text in the place of a key set',
    () => mcpAuth({ ...good, jwks: 'https://as.example/keys' }),
    'mcpAuth(): option "jwks" must be an object with the URL in it: text is read as a key set, but got "https://as.example/keys". Write { url: "https://…" }.',
  ],
  [
    'such a URL with a secret in it, which is not repeated',
    () => mcpAuth({ ...good, jwks: 'https://as.example/keys?token=secret' }),
    'mcpAuth(): option "jwks" must be an object with the URL in it: text is read as a key set. Write { url: "https://…" }.',
  ],
  [
    'a regular expression for the calls of a method',
    () => mcpScopes({ 'tools/call': /^delete_/ } as never),
    `mcpScopes(): option "rules["tools/call"]" ${RULE}. ${PATTERN}`,
  ],
  [
    'a regular expression in a rule',
    () => mcpScopes({ 'tools/call': { delete: [/^delete_/] } } as never),
    `mcpScopes(): option "rules["tools/call"]["delete"]" ${RULE}. ${PATTERN}`,
  ],
  [
    'a regular expression as an origin of a page',
    () => mcpCors({ allowedOrigins: /example/ } as never),
    'mcpCors(): option "allowedOrigins" must be an array of strings, without a regular expression, but got "/example/". Write "https://app.example.com", "https://*.example.com", "http://localhost:*", or "*".',
  ],
  [
    'a regular expression as an origin of a backend',
    () => mcpStdioBackend({ command: 'x', allowedOrigins: [/example/] } as never),
    'mcpStdioBackend(): option "allowedOrigins" must be an array of strings, without a regular expression, but got "/example/". Name origins such as "https://app.example.com", or "*" for all.',
  ],
  [
    'a regular expression as a redirect URI',
    () => mcpAuth({ ...good, provider: 'keycloak', oauthProxy: { allowedRedirectUris: [/^https:/] } } as never),
    'mcpAuth(): option "oauthProxy.allowedRedirectUris" must be an array of strings, without a regular expression, but got "/^https:/". Write whole redirect URIs, or "https://host/*".',
  ],
])('%s is refused, with what to write', (_what, make, message) => {
  expect(make).toThrow(expect.objectContaining({ name: 'ConfigError', message }));
});
