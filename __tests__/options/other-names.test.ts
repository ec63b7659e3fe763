import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { ConfigNode } from '../../src/gateway/config/config-node.js';
import { readCorsPolicy } from '../../src/gateway/config/cors-policy.js';
import { mcpAuth, mcpAuthorization, mcpCors, mcpHttpBackend, mcpScopes, mcpStdioBackend } from '../../src/index.js';
import { OTHER_NAMES } from '../../src/options/other-names.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { configText, route } from '../support/config-text.js';
import { good } from '../support/good-policy.js';
import {
  inFile,
  inRemoteTarget,
  ofBackend,
  ofCors,
  ofIntrospection,
  ofLocation,
  ofMcpAuth,
  ofRemote,
  ofRule,
  ofRules,
  type Row,
} from '../support/other-name-rows.js';

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

test.each<[group: string, ...Row]>([
  ...ofIntrospection.map((row): [string, ...Row] => ['introspection', ...row]),
  ...ofLocation.map((row): [string, ...Row] => ['authorizationLocation', ...row]),
])('mcpAuth() refuses, with the name that is meant: %s.%s', (group, word, value, option, write = `"${option}"`) => {
  const message = `option "${group}.${word}" must be called "${option}", but got "${word}". Write ${write}.`;
  expect(() => mcpAuth({ ...good, [group]: { [word]: value } })).toThrow(message);
});

const LEFT_OUT: [word: string, value: unknown, fix: string][] = [
  [
    'verifier',
    { verifyAccessToken: () => undefined },
    'Give issuer, whose JWTs mcpAuth() verifies itself; write verifiers: [async (token) => …] for opaque tokens.',
  ],
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
  const rows = [
    ofMcpAuth,
    ofIntrospection,
    ofLocation,
    ofBackend,
    ofRemote,
    ofCors,
    ofRules,
    ofRule,
    inFile,
    inRemoteTarget,
  ].flat();
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
