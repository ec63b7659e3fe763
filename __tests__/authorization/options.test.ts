import { expect, test } from 'vitest';
import type { McpScopesOptions, ScopeRule, ScopeRules } from '../../src/index.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createScopedApp } from '../support/scoped-app.js';

test.each<[string, unknown, unknown, string]>([
  ['no rules', {}, {}, 'option "rules" must be at least one rule, but got {}.'],
  ['rules that are none', 'tools/call', {}, 'option "rules" must be an object, but got "tools/call".'],
  ['a slip in a method', { 'tool/call': ['a'] }, {}, 'but got "tool/call". Did you mean "tools/call"?'],
  [
    'a star for methods',
    { '*': ['a'] },
    {},
    'but got "*". A "*" can be part of a tool, prompt or resource name, but not of a method.',
  ],
  ...Object.entries({
    allowedTools: "To allow some tools and no others, write { 'tools/call': { '*': false, a: true, b: true } }.",
    allow: 'To allow some tools and no others,',
    deny: "To deny a tool to every caller, write { 'tools/call': { 'delete_*': false } }.",
    denied_tools: 'To deny a tool to every caller,',
    blocklist: 'To deny a tool to every caller,',
    tools: 'Rules for tools belong under "tools/call", by name.',
    tool: 'Rules for tools belong under "tools/call", by name.',
    delete_file: 'Write a method, such as "tools/call".',
    prompts: 'Rules for prompts belong under "prompts/get", by name.',
    resources: 'Rules for resources belong under "resources/read", by URI.',
    requiredScopes: 'Put scopes that every request needs into requiredScopes of mcpAuth(),',
    scopes: 'Put scopes that every request needs into requiredScopes of mcpAuth(),',
    hide: '"hide" is an option: it belongs in the second argument.',
    implies: '"implies" is an option: it belongs in the second argument.',
    implied: 'Did you mean "implies"?',
    initialise: 'Did you mean "initialize"?',
    'files:write': 'Write a method, such as "tools/call".',
    '': 'Did you mean',
    'tools/*': 'A "*" can be part of a tool, prompt or resource name, but not of a method.',
    'tools/calls': 'Did you mean "tools/call"?',
  }).map(([name, fix]): [string, unknown, unknown, string] => [
    `the name ${JSON.stringify(name)}, which is not a method,`,
    { [name]: ['a'], 'tools/call': ['a'] },
    {},
    `option "rules" must be keyed by MCP method, but got ${JSON.stringify(name)}. ${name === '' ? '' : fix}`,
  ]),
  ...[
    '/delete_.*/',
    '/delete_/i',
    'delete_.*',
    '^delete_',
    'delete_file$',
    '.*delete',
    '.*',
    'delete_.+',
    'delete|remove',
    '(delete|remove)_*',
    'delete_[a-z]',
    'delete_\\w*',
    '{delete,remove}_*',
    'delete_file?',
    'delete_file, remove_file',
  ].map((name): [string, unknown, unknown, string] => [
    `the regular expression or list ${name} as a name`,
    { 'tools/call': { [name]: ['a'] } },
    {},
    `must be keyed by a name, not by a regular expression, but got ${JSON.stringify(name)}. Only "*" is special`,
  ]),
  ...['/etc/*', './secret', '~/x', 'file:///a|file:///b', 'file:///secret$', 'C:\\secret\\*', '^file:///x'].map(
    (uri): [string, unknown, unknown, string] => [
      `${uri} as a URI`,
      { 'resources/read': { [uri]: ['a'] } },
      {},
      `must be keyed by a URI, not by a path or a regular expression, but got ${JSON.stringify(uri)}.`,
    ],
  ),
  ['no name under a method', { 'tools/call': {} }, {}, 'option "rules["tools/call"]" must be at least one rule'],
  [
    'an empty name',
    { 'tools/call': { '': ['a'] } },
    {},
    'must be keyed by a name, but got "". Write "*" for every name.',
  ],
  [
    'an empty list',
    { 'tools/call': { t: [] } },
    {},
    'option "rules["tools/call"]["t"]" must be a non-empty array of scopes',
  ],
  ['a scope as text', { 'tools/call': { t: 'a' } }, {}, 'must be an array of non-empty strings, but got "a".'],
  ['several scopes in one text', { 'tools/call': ['a b'] }, {}, 'must be an array of scopes without spaces'],
  [
    'names for a method without',
    { 'tools/list': { t: ['a'] } },
    {},
    'since its calls name no tool, prompt or resource',
  ],
  [
    'an undefined rule',
    { 'tools/call': { t: undefined } },
    {},
    'must be an array of non-empty strings, but got undefined.',
  ],
  ['an unknown option', { ping: ['a'] }, { hid: true }, 'Did you mean "hide"?'],
  ['an unknown mode', { ping: ['a'] }, { onInsufficientScope: 'error' }, 'must be one of "challenge", "jsonRpcError"'],
  ['options that are a Map', { ping: ['a'] }, new Map([['hide', true]]), 'option "options" must be a plain object.'],
  ['names in a Map', { 'tools/call': new Map([['t', ['a']]]) }, {}, 'option "rules["tools/call"]" must be an array'],
  ['hide as text', { ping: ['a'] }, { hide: 'yes' }, 'option "hide" must be true or false, but got "yes".'],
  ['no bytes', { ping: ['a'] }, { maxBodyBytes: 0 }, 'option "maxBodyBytes" must be a whole number of at least 1'],
  ['implied scopes as text', { ping: ['a'] }, { implies: { a: 'b' } }, 'option "implies["a"]" must be an array'],
  [
    'a scope with a space',
    { ping: ['a'] },
    { implies: { 'a b': ['c'] } },
    'option "implies["a b"]" must be an array of scopes',
  ],
])('%s is refused', (_what, rules, options, message) => {
  expect(() => createScopedApp(rules as ScopeRules, { options: options as McpScopesOptions })).toThrow(message);
});

test.each<[method: string, name: string, looksLikeRegExp: boolean]>([
  ['tools/call', 'files.read', false],
  ['tools/call', 'admin.tools.*', true],
  ['tools/call', 'files.*.delete', true],
  ['tools/call', 'team/delete-*', false],
  ['tools/call', '*', false],
  ['tools/call', 'lösche_*', false],
  ['prompts/get', 'code review', false],
  ['resources/read', 'file:///home/*/.*', true],
  ['resources/read', 'http://[::1]/a?b=(c)+{d}', false],
  ['resources/read', 'note*', false],
  ['resources/read', '*', false],
])('%s may have a rule under %s, with a warning: %s', (method, name, looksLikeRegExp) => {
  const { lines, logger } = createRecordingLogger();
  createScopedApp({ [method]: { [name]: ['a'] } }, { options: { logger } });
  const warning = `warn mcpScopes(): "${name}" is not a regular expression: "." matches a dot only, and "*" matches any text`;
  expect(lines).toEqual(looksLikeRegExp ? [warning] : []);
});

test.each<[pattern: string, rule: ScopeRule, warns: boolean, denial?: string]>([
  ['https://h.example*', true, true],
  ['https://h.example*', ['files:read'], true],
  ['HTTPS://h.example*', true, true],
  ['https://h.example*/docs/*', true, true],
  ['https://*.h.example/*', true, true],
  ['https://*@h.example/*', true, true],
  ['wss://h*:443/', true, true],
  ['http*://h.example/*', true, true],
  ['*://h.example/*', true, true],
  ['a+https://h.example*', true, true],
  ['https://h.example*', true, true, 'https://*'],
  ['https://h.example/*', true, false],
  ['https://h.example/?q=*', true, false],
  ['https://h.example:*', true, false],
  ['https://[::1]:*/a', true, false],
  ['https://*', true, false],
  ['https://*/docs/*', true, false],
  ['*://*', true, false],
  ['memo://team-*', true, false],
  ['file:///a*b.txt', true, false],
  // These restrict, and override nothing; a function may look at the host.
  ['https://h.example*', ['files:read'], false, 'https://h.example/secret/*'],
  ['https://h.example*', false, false],
  ['https://h.example*', () => true, false],
])('a rule for %j, which is %j, is logged as open to other hosts: %s', (pattern, rule, warns, denial = '*') => {
  const { lines, logger } = createRecordingLogger();
  createScopedApp({ 'resources/read': { [denial]: false, [pattern]: rule } }, { options: { logger } });
  const warning = `warn mcpScopes(): ${JSON.stringify(pattern)} also allows other hosts: "*" matches any text. Write the host in full, and "/" after it`;
  expect(lines).toEqual(warns ? [warning] : []);
});

test('a tool whose name looks like a URL may end with "*"', () => {
  const { lines, logger } = createRecordingLogger();
  createScopedApp({ 'tools/call': { '*': false, 'https://h.example*': true } }, { options: { logger } });
  expect(lines).toEqual([]);
});

test.each(['acme/run', 'notifications/x', 'ping', 'initialize'])('%s is a method', (method) => {
  expect(() => createScopedApp({ [method]: ['a'] })).not.toThrow();
});
