import express from 'express';
import { describe, expect, test } from 'vitest';
import { createRuledApp, toolCall } from '../support/ruled-app.js';

const HOME = [{ require: 'mcp.tool.arguments.path.startsWith("/home/")' }];

test('the server reads the very bytes that the rules decided on', async () => {
  const { post, received } = createRuledApp({ rules: HOME });
  const text =
    '{ "jsonrpc": "2.0",\n "id": 1, "method": "tools/call", "params": {"name":"read","arguments":{"path":"\\u002fhome/a"}} }';
  await post(text);
  expect(received).toEqual([text]);
});

test('behind a body parser, rules decide on what it made', async () => {
  const { post, received } = createRuledApp({ rules: HOME }, { before: [express.json() as never] });
  expect((await post(toolCall('read', { path: '/home/a' }))).body).toEqual({ through: true });
  expect((await post(toolCall('read', { path: '/etc/passwd' }))).body.error.message).toBe('Unknown tool: read');
  expect(received.length).toBe(1);
});

test('a path with dots begins as it is written, so a rule must deny the dots', async () => {
  const { post, received } = createRuledApp({ rules: [...HOME, { deny: 'mcp.tool.arguments.path.contains("..")' }] });
  await post(toolCall('read', { path: '/home/../etc' }));
  expect(received).toEqual([]);
  const without = createRuledApp({ rules: HOME });
  await without.post(toolCall('read', { path: '/home/../etc' }));
  expect(without.received.length).toBe(1);
});

describe('arguments that a server may read differently', () => {
  const file = (args: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":${args}}}`;

  test.each<[what: string, args: string, passes: boolean]>([
    ['as the rule has them', '{"path":"/home/a"}', true],
    ['with another member', '{"path":"/home/a","mode":"r"}', true],
    ['a member twice', '{"path":"/home/a","path":"/etc"}', false],
    ['a member twice, once escaped', '{"path":"/home/a","p\\u0061th":"/etc"}', false],
    ['a member in other capitals beside it', '{"path":"/home/a","Path":"/etc"}', false],
    ['a member with a letter that folds', '{"path":"/home/a","options":{"ſafe":true}}', false],
    ['a member with a NUL', '{"path":"/home/a","path\\u0000x":"/etc"}', false],
    ['a nested member with a NUL', '{"path":"/home/a","x":[{"y\\u0000":1}]}', false],
    ['no member', '{}', false],
    ['a number', '{"path":1}', false],
    ['a list', '["/home/a"]', false],
    ['a text', '"/home/a"', false],
    ['nesting within bounds', `{"path":"/home/a","x":${'['.repeat(50)}${']'.repeat(50)}}`, true],
    ['nesting beyond bounds', `{"path":"/home/a","x":${'['.repeat(100)}${']'.repeat(100)}}`, false],
  ])('%s', async (_what, args, passes) => {
    const { post, received } = createRuledApp({
      rules: [...HOME, { deny: 'has(mcp.tool.arguments.options.safe) && false' }].slice(0, args.includes('ſ') ? 2 : 1),
    });
    await post(file(args));
    expect(received.length).toBe(passes ? 1 : 0);
  });

  test('a deny about a member that comes in other capitals alone denies', async () => {
    const { post, received } = createRuledApp({ rules: [{ deny: 'has(mcp.tool.arguments.force)' }] });
    await post(file('{"Force":true}'));
    await post(file('{"force":true}'));
    expect(received).toEqual([]);
    await post(file('{"other":true}'));
    expect(received.length).toBe(1);
  });

  test('a claim with the same name makes no argument ambiguous', async () => {
    const rules = ['jwt.sub == "alice" && mcp.tool.arguments.path == "/a" && request.path == "/mcp"'];
    const { post } = createRuledApp({ rules });
    expect((await post(file('{"path":"/a","Sub":1,"Name":2}'))).body).toEqual({ through: true });
  });
});

test.each([
  '["path", "force"].exists(k, k in a)',
  'a.exists(k, k == "force")',
  'a.exists(k, k in ["force"])',
  'a.exists(k, k.startsWith("force"))',
  'a.map(k, k).join(",").contains("force")',
  'cel.bind(given, a, given.exists(k, k == "force"))',
  '[a].exists(given, given.exists(k, k == "force"))',
  '(mcp.tool.name == "read" ? "force" : "other") in a',
  '["force"].exists(k, k in a && a[k] == true)',
  'a == {"force": true}',
  '{"force": true} == a',
])('a deny about force denies Force: %s', async (text) => {
  const { post, received } = createRuledApp({ rules: [{ deny: text.replace(/\ba\b/g, 'mcp.tool.arguments') }] });
  await post(toolCall('read', { Force: true }));
  await post(toolCall('read', { force: true }));
  expect(received).toEqual([]);
  await post(toolCall('read', { other: true, K: 1 }));
  expect(received.length).toBe(1);
});

test.each([
  'mcp.tool.name == "Read" || a.ids.all(id, id < 5)',
  '"Read" == mcp.tool.name || a.ids.all(id, id < 5)',
  'mcp.tool.name in ["Read"] || a.ids.all(id, id < 5)',
  'mcp.tool.name.startsWith("Read") || a.ids.all(id, id < 5)',
  '!jwt.scope.split(" ").exists(scope, scope == "Read") && a.read == 1',
  '!("Admin" in jwt.scope.split(" ")) && a.ids.all(id, id < 5)',
  '!["Read"].exists(text, text == jwt.sub) && a.read == 1',
])('the text makes no argument ambiguous: %s', async (text) => {
  const { post } = createRuledApp({ rules: [text.replace(/\ba\./g, 'mcp.tool.arguments.')] });
  const args = { read: 1, ids: [1], ID: 1, Scope: 1, TEXT: 1 };
  expect((await post(toolCall('read', args), { scopes: ['admin'] })).body).toEqual({ through: true });
});

describe('arguments of more than 64 KiB', () => {
  const long = { text: 'x'.repeat(65_536) };

  test.each<[what: string, rules: Parameters<typeof createRuledApp>[0]['rules'], passes: boolean]>([
    ['pass where no rule reads them', ['mcp.tool.name == "write"'], true],
    ['are not allowed by a rule that reads them', ['has(mcp.tool.arguments.text) || true'], false],
    ['are denied by a rule that reads them', ['true', { deny: 'has(mcp.tool.arguments.none)' }], false],
    ['are denied by a require that reads them', [{ require: 'default(mcp.tool.arguments.text, "") != "y"' }], false],
    ['pass by a rule that does not read them', ['mcp.tool.name == "write"', 'mcp.tool.arguments.text == ""'], true],
  ])('%s', async (_what, rules, passes) => {
    const { post, received } = createRuledApp({ rules });
    await post(toolCall('write', long));
    expect(received.length).toBe(passes ? 1 : 0);
  });

  test('count together in a batch', async () => {
    const { post, received } = createRuledApp({ rules: ['mcp.tool.arguments.text != ""'] });
    const half = { text: 'x'.repeat(33_000) };
    await post([toolCall('write', half, 1), toolCall('write', half, 2)]);
    expect(received).toEqual([]);
    await post([toolCall('write', half, 1), toolCall('write', { text: 'y' }, 2)]);
    expect(received.length).toBe(1);
  });

  test('are counted in bytes of JSON: 64 KiB pass', async () => {
    const { post, received } = createRuledApp({ rules: ['size(mcp.tool.arguments.text) > 0'] });
    const rest = '{"text":""}'.length;
    await post(toolCall('write', { text: 'x'.repeat(65_536 - rest) }));
    expect(received.length).toBe(1);
    await post(toolCall('write', { text: 'x'.repeat(65_537 - rest) }));
    await post(toolCall('write', { text: 'ü'.repeat(33_000) }));
    expect(received.length).toBe(1);
  });
});

test.each<[what: string, body: string, status: number, headers?: Record<string, string>]>([
  ['a message that is not JSON', '{', 400],
  ['a compressed body', '{}', 415, { 'content-encoding': 'gzip' }],
  [
    'a header that names another tool',
    JSON.stringify(toolCall('echo')),
    400,
    { 'mcp-method': 'tools/call', 'mcp-name': 'add' },
  ],
])('%s is refused before any rule', async (_what, body, status, headers = {}) => {
  const { post, received } = createRuledApp({ rules: ['true'] });
  expect((await post(body, {}, headers)).status).toBe(status);
  expect(received).toEqual([]);
});
