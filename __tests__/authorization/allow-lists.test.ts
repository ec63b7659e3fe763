import { describe, expect, test } from 'vitest';
import type { ScopeRules } from '../../src/index.js';
import { callTool, createScopedApp, readResource } from '../support/scoped-app.js';

type Row = readonly [name: string, scopes: readonly string[], status: number];

const lists: readonly (readonly [what: string, rules: NonNullable<ScopeRules['tools/call']>, rows: readonly Row[]])[] =
  [
    [
      'these and nothing else',
      { '*': false, echo: true },
      [
        ['echo', [], 200],
        ['add', [], 403],
        ['echo_all', [], 403],
        // The server may have both names; only one is allowed.
        ['ECHO', [], 403],
        ['echo ', [], 403],
        ['ｅｃｈｏ', [], 403],
      ],
    ],
    [
      'all but these',
      { '*': true, 'delete_*': false },
      [
        ['echo', [], 200],
        ['delete_x', [], 403],
        ['DELETE_X', [], 403],
      ],
    ],
    [
      'with a scope for one of them',
      { '*': false, echo: true, write: ['files:write'] },
      [
        ['write', [], 403],
        ['write', ['files:write'], 200],
        ['add', ['files:write'], 403],
      ],
    ],
    [
      'with exceptions of exceptions',
      { '*': false, 'report_*': true, 'report_secret_*': false, report_secret_daily: true },
      [
        ['report_a', [], 200],
        ['report_secret_a', [], 403],
        ['report_secret_daily', [], 200],
      ],
    ],
    [
      'of two patterns of the same length, the denial counts',
      { 'a*': false, '*b': true },
      [
        ['ab', [], 403],
        ['b', [], 200],
      ],
    ],
    [
      'scopes of a wide rule still count',
      { '*': ['mcp:call'], echo: true },
      [
        ['echo', [], 403],
        ['echo', ['mcp:call'], 200],
      ],
    ],
    [
      'a function decides where it is narrower',
      { '*': false, echo: () => true, add: () => false },
      [
        ['echo', [], 200],
        ['add', [], 403],
      ],
    ],
    ['the whole method', false, [['echo', [], 403]]],
  ];

describe.each(lists)('an allow-list: %s', (_what, rules, rows) => {
  test.each(rows)('%j with the scopes %j is answered %i', async (name, scopes, status) => {
    const { post, received } = createScopedApp({ 'tools/call': rules });
    expect((await post(callTool(name), scopes)).status).toBe(status);
    expect(received.length).toBe(status === 200 ? 1 : 0);
  });
});

test.each([
  ['file:///public/a.txt', 200],
  ['file:///public/../secret', 403],
  ['file:///public/%2e%2e/secret', 403],
  ['file:///secret', 403],
])('an allow-list of resources: %s is answered %i', async (uri, status) => {
  const { post } = createScopedApp({ 'resources/read': { '*': false, 'file:///public/*': true } });
  expect((await post(readResource(uri))).status).toBe(status);
});

const OTHER_HOSTS = [
  ...['https://h.example.evil.com/x', 'https://h.example-evil.com/', 'https://h.example:444/', 'https://evil.com/'],
  ...[
    'https://h.example%2eevil.com/',
    'https://h.example@evil.com/',
    'https://evil.com/://h.example/',
    'https://h.examplf/',
  ],
  ...['https://evil.com/.h.example/', 'https://evil.com/@h.example/', 'https:h.example.evil.com/', 'https://h.example'],
];

/** `hosts`: those of {@link OTHER_HOSTS} that the pattern allows. */
test.each<[pattern: string, hosts: readonly string[]]>([
  ['https://h.example/*', []],
  ['https://h.example/', []],
  ['https://h.example:*', ['https://h.example:444/']],
  ['https://h.example*', OTHER_HOSTS.filter((uri) => /^https:\/\/h\.example(?!@)/.test(uri))],
  ['https://*.h.example/*', ['https://evil.com/.h.example/']],
  ['https://*@h.example/*', ['https://evil.com/@h.example/']],
  ['http*://h.example/*', ['https://evil.com/://h.example/']],
])('an allow-list with %j allows only these other hosts', async (pattern, hosts) => {
  const { post } = createScopedApp({ 'resources/read': { '*': false, [pattern]: true } });
  const statuses = await Promise.all(OTHER_HOSTS.map(async (uri) => (await post(readResource(uri))).status));
  expect(OTHER_HOSTS.filter((_uri, i) => statuses[i] === 200)).toEqual(hosts);
});

test('lists show what an allow-list allows', async () => {
  const tools = [{ name: 'echo' }, { name: 'add' }];
  const { post } = createScopedApp(
    { 'tools/call': { '*': false, echo: true } },
    {
      options: { hide: true },
      after: [
        (_req, res) =>
          void (res as never as { json(body: object): void }).json({ jsonrpc: '2.0', id: 1, result: { tools } }),
      ],
    },
  );
  const { body } = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  expect(body.result.tools).toEqual([{ name: 'echo' }]);
});
