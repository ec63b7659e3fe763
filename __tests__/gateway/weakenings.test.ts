import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { listWeakenings, weakeningsBetween } from '../../src/gateway/reload/weakenings.js';
import { answer, scripted } from '../support/file-gateway.js';
import { AUTHENTICATION } from '../support/gateway-folder.js';

const parse = (file: object) => parseConfigFile(JSON.stringify(file), '/');
const at = (path: string, policies: object, program = 'one') => ({
  matches: [{ path: { exact: path } }],
  backends: [{ mcp: { targets: [scripted(program)] } }],
  policies,
});
const on = (routes: readonly object[], more: object = {}) =>
  parse({ gateways: { default: { port: 3000, ...more } }, routes });
const found = (before: readonly object[], after: readonly object[]) => weakeningsBetween(on(before), on(after));

const login = (mode?: string) => ({ mcpAuthentication: { ...AUTHENTICATION, ...(mode && { mode }) } });
const apiKey = (mode?: string) => ({ apiKey: { keys: [{ key: 'k'.repeat(40) }], ...(mode && { mode }) } });
const SCOPES = { mcpScopes: { 'tools/call': ['call'] } };
const mcpRules = (mode?: string) => ({
  mcpAuthorization: { rules: ['mcp.tool.name == "echo"'], ...(mode && { mode }) },
});
const HTTP_RULES = { authorization: { rules: ['request.method == "POST"'] } };

test.each<[what: string, before: object, after: object, found: string[]]>([
  ['the login is gone', login(), {}, ['no longer requires a token']],
  ['optional in place of strict', login(), login('optional'), ['no longer requires a token (mode: optional)']],
  ['permissive in place of strict', login(), login('permissive'), ['no longer requires a token (mode: permissive)']],
  [
    'permissive in place of optional',
    login('optional'),
    login('permissive'),
    ['no longer refuses a wrong token (mode: permissive)'],
  ],
  ['an optional login is gone', login('optional'), {}, ['no longer has login']],
  ['a strict apiKey without its mode', apiKey('strict'), apiKey(), ['no longer requires a token (mode: optional)']],
  ['mcpScopes is gone', { ...login(), ...SCOPES }, login(), ['no longer has mcpScopes']],
  ['mcpAuthorization is gone', { ...login(), ...mcpRules() }, login(), ['no longer has mcpAuthorization']],
  ['mcpAuthorization denies nothing', mcpRules(), mcpRules('permissive'), ['no longer has mcpAuthorization']],
  ['authorization is gone', HTTP_RULES, {}, ['no longer has authorization']],
  [
    'everything is gone',
    { ...login(), ...SCOPES, ...HTTP_RULES },
    {},
    ['no longer requires a token', 'no longer has authorization', 'no longer has mcpScopes'],
  ],
  [
    'the last rule of mcpAuthorization is gone',
    { mcpAuthorization: { rules: ['true', { deny: 'mcp.tool.name == "a"' }] } },
    { mcpAuthorization: { rules: ['true'] } },
    ['no longer has the last rules of mcpAuthorization'],
  ],
  [
    'another rule in place of the last two',
    { mcpAuthorization: { rules: ['true', { deny: 'mcp.tool.name == "a"' }] } },
    { mcpAuthorization: { rules: [{ deny: 'mcp.tool.name == "b"' }] } },
    [],
  ],
  [
    'the last names of mcpScopes are gone',
    { ...login(), mcpScopes: { 'tools/call': { '*': ['call'], delete: false } } },
    { ...login(), mcpScopes: { 'tools/call': { '*': ['call'] } } },
    ['no longer has the last rules of mcpScopes'],
  ],
  ['the same', { ...login(), ...SCOPES }, { ...login(), ...SCOPES }, []],
  ['another kind of login', login(), apiKey('strict'), []],
  ['strict in place of optional', login('optional'), login('strict'), []],
  ['another rule', { ...login(), ...SCOPES }, { ...login(), mcpScopes: { 'tools/list': ['list'] } }, []],
  ['a word that is no mode', login(), login('wrong'), []],
  ['no login before either', {}, { localRateLimit: [{ maxTokens: 1, tokensPerFill: 1, fillInterval: '1s' }] }, []],
  ['a fixed answer in place of the server', login(), answer('closed'), []],
])('of one route: %s', (_what, before, after, expected) => {
  expect(found([at('/a', before)], [at('/a', after)])).toEqual(expected.map((text) => `routes[0] ${text}`));
});

test('of one route: authorization of its backend is gone, and that of the route is not', () => {
  const route = (policies: object) => ({
    ...at('/a', HTTP_RULES),
    backends: [{ mcp: { targets: [scripted('one')] }, policies }],
  });
  expect(found([route(HTTP_RULES)], [route({})])).toEqual(['routes[0] no longer has authorization of its backend']);
});

const OPEN = at('/open', {}, 'two');
const CLOSED = at('/closed', login());

test.each<[what: string, before: object[], after: object[], found: string[]]>([
  ['a path that changes, while the login goes', [CLOSED], [at('/a', {})], ['routes[0] is new and requires no token']],
  ['a path that changes, with its login', [CLOSED], [at('/a', login())], []],
  ['another order', [OPEN, CLOSED], [CLOSED, OPEN], []],
  ['one more with a login', [CLOSED], [CLOSED, at('/a', login(), 'two')], []],
  ['the first one without a login', [CLOSED], [CLOSED, OPEN], ['routes[1] is new and requires no token']],
  ['one more without a login', [OPEN, CLOSED], [OPEN, CLOSED, at('/a', {}, 'three')], []],
  ['one less with a login', [OPEN, CLOSED], [OPEN], []],
  ['two paths that change, one of them open', [OPEN, CLOSED], [at('/a', {}, 'two'), at('/b', login())], []],
  ['one more beside a fixed answer', [{ policies: answer('x') }], [{ policies: answer('x') }, OPEN], []],
])('of several routes: %s', (_what, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});

test('a port that asks for no certificate of clients any more, and one with another number', () => {
  const tls = { cert: 'cert', key: 'key' };
  const [rooted, plain] = [
    { tls: { ...tls, root: 'root' }, protocol: 'HTTPS' },
    { tls, protocol: 'HTTPS' },
  ];
  expect(weakeningsBetween(on([OPEN], rooted), on([OPEN], plain))).toEqual(['routes[0] no longer has tls.root']);
  const moved = on([at('/closed', {})], { port: 3001 });
  expect(weakeningsBetween(on([CLOSED]), moved)).toEqual(['routes[0] is new and requires no token']);
});

test('a line lists three of them', () => {
  expect([['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']].map(listWeakenings)).toEqual(['a', 'a, b, c', 'a, b, c, …']);
});
