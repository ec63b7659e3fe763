import { expect, test } from 'vitest';
import type { AuthorizationRuleOption, McpAuthorizationOptions, Middleware } from '../../src/index.js';
import { createRuledApp } from '../support/ruled-app.js';

const answer =
  (result: object): Middleware =>
  (_req, res) =>
    void res.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id: 1, result }));

const TOOLS = { tools: ['echo', 'read', 'delete'].map((name) => ({ name })) };

async function shown(
  rules: readonly AuthorizationRuleOption[],
  claims = {},
  options: Partial<McpAuthorizationOptions> = {},
) {
  const { post } = createRuledApp({ rules, ...options }, { after: [answer(TOOLS)] });
  const { body } = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, claims);
  return body.result.tools.map(({ name }: { name: string }) => name);
}

test.each<[what: string, rules: AuthorizationRuleOption[], names: string[]]>([
  ['an allow-list', ['mcp.tool.name == "echo"'], ['echo']],
  ['a deny-list', [{ deny: 'mcp.tool.name == "delete"' }], ['echo', 'read']],
  ['a require', [{ require: 'mcp.tool.name != "delete"' }], ['echo', 'read']],
  ['an allow that reads arguments', ['mcp.tool.arguments.path == "/a"'], ['echo', 'read', 'delete']],
  [
    'an allow that reads arguments of one tool',
    ['mcp.tool.name == "read" && mcp.tool.arguments.path == "/a"'],
    ['read'],
  ],
  ['an allow that reads arguments first', ['mcp.tool.arguments.path == "/a" && mcp.tool.name == "read"'], ['read']],
  ['an allow that asks if there are arguments', ['has(mcp.tool.arguments.path)'], ['echo', 'read', 'delete']],
  [
    'an allow with a default for an argument',
    ['default(mcp.tool.arguments.path, "/b") == "/a"'],
    ['echo', 'read', 'delete'],
  ],
  ['a deny that reads arguments', [{ deny: 'mcp.tool.arguments.path == "/a"' }], ['echo', 'read', 'delete']],
  [
    'a deny that fails before it reads them',
    [{ deny: 'jwt.missing == 1 && mcp.tool.arguments.path == "/a"' }],
    ['echo', 'read', 'delete'],
  ],
  ['a deny that fails', [{ deny: 'jwt.missing == 1' }], []],
  ['a require that reads arguments', [{ require: 'mcp.tool.arguments.path == "/a"' }], ['echo', 'read', 'delete']],
  ['scopes that are missing', [{ allow: 'mcp.tool.name == "echo"', scopes: ['a'] }], []],
])('a list shows what may be called: %s', async (_what, rules, names) => {
  expect(await shown(rules)).toEqual(names);
});

test('a list shows what the caller may call, and is not to be shared', async () => {
  const rules = [{ allow: 'jwt.role == "admin"' }];
  expect(await shown(rules, { role: 'admin' })).toEqual(['echo', 'read', 'delete']);
  expect(await shown(rules, { role: 'user' })).toEqual([]);
});

test('a list is complete with hide: false, and in permissive mode', async () => {
  const rules = ['mcp.tool.name == "echo"'];
  expect(await shown(rules, {}, { hide: false })).toEqual(['echo', 'read', 'delete']);
  expect(await shown(rules, {}, { mode: 'permissive' })).toEqual(['echo', 'read', 'delete']);
});

test('resources, templates and prompts are hidden by their own variables', async () => {
  const rules = ['mcp.resource.name.startsWith("file:///public/")', 'mcp.prompt.name == "greet"'];
  const result = {
    resources: [{ uri: 'file:///public/a' }, { uri: 'file:///secret' }, { uri: 'file:///public/../secret' }],
    resourceTemplates: [{ uriTemplate: 'file:///public/{name}' }, { uriTemplate: 'file:///{name}' }],
    prompts: [{ name: 'greet' }, { name: 'other' }],
  };
  const { post } = createRuledApp({ rules }, { after: [answer(result)] });
  const { body } = await post({ jsonrpc: '2.0', id: 1, method: 'resources/list' });
  expect(body.result).toEqual({
    resources: [{ uri: 'file:///public/a' }],
    resourceTemplates: [{ uriTemplate: 'file:///public/{name}' }],
    prompts: [{ name: 'greet' }],
  });
});

test('a list that cannot be read is answered 502', async () => {
  const zipped: Middleware = (_req, res) => void res.setHeader('content-encoding', 'gzip').end('x');
  const { post } = createRuledApp({ rules: ['true'] }, { after: [zipped] });
  expect((await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).status).toBe(502);
});
