import { expect, test } from 'vitest';
import { hadRulesWithoutTargets } from '../../src/core/rules-without-targets.js';
import type { AuthorizationRuleOption, Middleware, RuleBackend } from '../../src/index.js';
import { createRuledApp, toolCall } from '../support/ruled-app.js';
import { readResource } from '../support/scoped-app.js';

// Two targets, `a` and `b`. A client's name is the target's name, a joint, and the name that the target knows.
const backend: RuleBackend = {
  resolve(kind, name) {
    const [, target, own] =
      (kind === 'tool' || kind === 'prompt' ? /^([ab])_(.*)$/ : /^([ab])\+(.*)$/).exec(name) ?? [];
    return target === undefined || own === undefined ? undefined : { target, name: own };
  },
};

const DELETE = { deny: 'mcp.tool.name == "delete"' };

test.each<[what: string, rules: AuthorizationRuleOption[], message: object, passes: boolean]>([
  ['a deny about a name holds for the tool of each target', [DELETE], toolCall('a_delete'), false],
  ['and of the other', [DELETE], toolCall('b_delete'), false],
  [
    'a tool that only looks like it for clients passes',
    [{ deny: 'mcp.tool.name == "a_delete"' }],
    toolCall('a_delete'),
    true,
  ],
  [
    'a tool that is called so by its target does not',
    [{ deny: 'mcp.tool.name == "a_delete"' }],
    toolCall('b_a_delete'),
    false,
  ],
  ['a rule about one target', ['mcp.tool.target == "a" && mcp.tool.name == "delete"'], toolCall('a_delete'), true],
  ['is not about the other', ['mcp.tool.target == "a" && mcp.tool.name == "delete"'], toolCall('b_delete'), false],
  [
    'a name with the joint in it',
    ['mcp.tool.target == "a" && mcp.tool.name == "b_delete"'],
    toolCall('a_b_delete'),
    true,
  ],
  ['a name that no target has', ['true'], toolCall('delete'), false],
  ['a name of an unknown target', [DELETE], toolCall('c_delete'), false],
  ['a resource', ['mcp.resource.target == "b" && mcp.resource.name == "file:///x"'], readResource('b+file:///x'), true],
  ['a resource that its target resolves', ['true'], readResource('b+../y'), false],
  ['a resource with a dot segment in its own URI', ['true'], readResource('b+file:///x/../y'), false],
])('with two targets: %s', async (_what, rules, message, passes) => {
  const { post, received } = createRuledApp({ rules, backend });
  await post(message);
  expect(received.length).toBe(passes ? 1 : 0);
});

test('lists are filtered by the names of the targets, and keep those of the client', async () => {
  const tools = ['a_read', 'a_delete', 'b_delete', 'other'].map((name) => ({ name }));
  const answer = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools } });
  const list: Middleware = (_req, res) => void res.setHeader('content-type', 'application/json').end(answer);
  const { post } = createRuledApp({ rules: [DELETE], backend }, { after: [list] });
  const { body } = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  expect(body.result.tools).toEqual([{ name: 'a_read' }]);
});

test.each([
  ['without a backend', undefined, true],
  ['with one', backend, false],
])('a backend learns that rules saw the names that clients use: %s', async (_what, given, expected) => {
  let had: boolean | undefined;
  const note: Middleware = (req, _res, next) => {
    had = hadRulesWithoutTargets(req);
    next();
  };
  const { post } = createRuledApp({ rules: ['true'], backend: given }, { after: [note] });
  await post(toolCall('a_read'));
  expect(had).toBe(expected);
});

test('a backend that throws denies nothing silently: the request fails', async () => {
  const broken: RuleBackend = {
    resolve: () => {
      throw new Error('no catalogue');
    },
  };
  const { post, received } = createRuledApp({ rules: ['true'], backend: broken });
  expect((await post(toolCall('a_read'))).status).toBe(500);
  expect(received).toEqual([]);
});
