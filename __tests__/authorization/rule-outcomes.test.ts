import { describe, expect, test } from 'vitest';
import type { AuthorizationRuleOption, McpAuthorizationOptions } from '../../src/index.js';
import { parseChallenge } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createRuledApp, toolCall } from '../support/ruled-app.js';
import { readResource } from '../support/scoped-app.js';

const getPrompt = { jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name: 'greet' } };
const ECHO = toolCall('echo', { n: 1 });

async function passes(
  rules: readonly AuthorizationRuleOption[],
  message: unknown,
  claims: object | null = {},
  options: Partial<McpAuthorizationOptions> = {},
): Promise<boolean> {
  const { post, received } = createRuledApp({ rules, ...options });
  const { status, body } = await post(message, claims as never);
  expect(status).toBe(200);
  expect(received.length).toBe(body.through ? 1 : 0);
  return body.through === true;
}

const ALLOW_ECHO = 'mcp.tool.name == "echo"';
const FAILS = 'jwt.missing == 1';

describe('which rule decides', () => {
  test.each<[what: string, rules: AuthorizationRuleOption[], expected: boolean]>([
    ['an allow that matches', [ALLOW_ECHO], true],
    ['the same, written as an object', [{ allow: ALLOW_ECHO }], true],
    ['an allow that does not match', ['mcp.tool.name == "add"'], false],
    ['one allow of two', ['mcp.tool.name == "add"', ALLOW_ECHO], true],
    ['an allow that fails', [FAILS], false],
    ['an allow that fails, and one that matches', [FAILS, ALLOW_ECHO], true],
    ['a deny that matches, whatever allows', [ALLOW_ECHO, { deny: 'true' }], false],
    ['a deny that does not match, alone', [{ deny: 'mcp.tool.name == "add"' }], true],
    ['a deny that does not match, and no allow that does', [{ deny: 'false' }, 'false'], false],
    ['a deny that fails', [{ deny: FAILS }], false],
    ['a deny that fails, whatever allows', [ALLOW_ECHO, { deny: FAILS }], false],
    ['a require that holds, alone', [{ require: ALLOW_ECHO }], true],
    ['a require that does not hold', [{ require: 'mcp.tool.name == "add"' }, ALLOW_ECHO], false],
    ['a require that fails', [{ require: FAILS }, ALLOW_ECHO], false],
    ['one require of two', [{ require: 'true' }, { require: 'false' }], false],
    ['a require that holds does not allow', [{ require: 'true' }, 'false'], false],
    ['a result that is not a boolean', ['jwt.sub'], false],
    ['a deny whose result is not a boolean', [{ deny: 'jwt.sub' }], false],
    ['an allow in || with a part that fails', [`${FAILS} || true`], true],
    ['an allow in || with a part that fails, else false', [`${FAILS} || false`], false],
    ['a deny in || with a part that fails, else false', [{ deny: `${FAILS} || false` }], false],
    ['a deny in && with a part that is false', [{ deny: `${FAILS} && false` }], true],
  ])('%s', async (_what, rules, expected) => {
    expect(await passes(rules, ECHO)).toBe(expected);
  });
});

describe('a variable that the call does not have', () => {
  test.each<
    [what: string, rules: AuthorizationRuleOption[], message: unknown, claims: object | null, expected: boolean]
  >([
    ['a deny about tools lets a prompt pass', [{ deny: 'mcp.tool.name != "echo"' }], getPrompt, {}, true],
    ['a deny about the token lets an anonymous caller pass', [{ deny: 'jwt.sub == "eve"' }], ECHO, null, true],
    ['a deny about a claim that the token lacks', [{ deny: 'jwt.group != "eng"' }], ECHO, {}, false],
    ['a require about the token', [{ require: 'jwt.sub == "alice"' }], ECHO, null, false],
    ['a require about tools denies a prompt', [{ require: 'mcp.tool.name == "echo"' }], getPrompt, {}, false],
    ['an allow about tools does not allow a prompt', [ALLOW_ECHO], getPrompt, {}, false],
    ['a deny that fails also for another reason', [{ deny: `mcp.prompt.name == "x" || ${FAILS}` }], ECHO, {}, false],
    ['the same in the other order', [{ deny: `${FAILS} || mcp.prompt.name == "x"` }], ECHO, {}, false],
    ['in the rounds of a macro', [{ deny: `[1].exists(x, mcp.prompt.name == "x" || ${FAILS})` }], ECHO, {}, false],
    ['has() without a token', [{ deny: '!has(jwt.sub)' }], ECHO, null, false],
    ['has() of a prompt', ['has(mcp.prompt)'], getPrompt, null, true],
    ['an API key', [{ deny: 'apiKey.team == "x"' }], ECHO, {}, true],
    ['the argument that a rule is about', [{ deny: 'mcp.tool.arguments.path == "/etc"' }], ECHO, {}, false],
    ['arguments at all', [{ deny: 'has(mcp.tool.arguments.path)' }], { ...ECHO, params: { name: 'echo' } }, {}, true],
    ['arguments that are a list', [{ deny: 'has(mcp.tool.arguments.path)' }], toolCall('echo', ['path']), {}, false],
    ['arguments that are null', [{ deny: 'has(mcp.tool.arguments.path)' }], toolCall('echo', null), {}, false],
  ])('%s', async (_what, rules, message, claims, expected) => {
    expect(await passes(rules, message, claims)).toBe(expected);
  });
});

test.each<[what: string, message: unknown, expected: boolean]>([
  ['resources/read', readResource('file:///secret'), false],
  ['resources/subscribe', readResource('file:///secret', 'resources/subscribe'), false],
  ['resources/unsubscribe', readResource('file:///secret', 'resources/unsubscribe'), false],
  ['tasks/get', { jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { taskId: 'file:///secret' } }, true],
  ['tasks/cancel of a denied task', { jsonrpc: '2.0', id: 1, method: 'tasks/cancel', params: { taskId: 't1' } }, false],
  ['a task without an id', { jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { taskId: 7 } }, false],
  [
    'a completion for a denied resource',
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'completion/complete',
      params: { ref: { type: 'ref/resource', uri: 'file:///secret' } },
    },
    false,
  ],
  [
    'a completion in ambiguous capitals',
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'completion/complete',
      params: { ref: { type: 'ref/prompt', name: 'a', Name: 'b' } },
    },
    false,
  ],
  [
    'a subscription to a denied resource among others',
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: { notifications: { resourceSubscriptions: ['file:///a', 'file:///secret'] } },
    },
    false,
  ],
  [
    'a subscription in other capitals',
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: { notifications: {}, Notifications: { resourceSubscriptions: ['file:///secret'] } },
    },
    false,
  ],
  ...Object.entries<[notifications: unknown, isAllowed: boolean]>({
    'a subscription to a denied task among others': [{ taskIds: ['t0', 't1'] }, false],
    'a subscription to a denied task, without a list': [{ taskIds: 't1' }, false],
    'a subscription to tasks in other capitals': [{ TaskIds: ['t1'] }, false],
    'a subscription to a task with a name of the wrong type': [{ taskIds: [['t1']] }, false],
    'a subscription to another task': [{ taskIds: ['t0'] }, true],
    'a subscription to nothing that has a name': [{ toolsListChanged: true, taskIds: null }, true],
  }).map(([what, [notifications, isAllowed]]): [string, object, boolean] => [
    what,
    { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { notifications } },
    isAllowed,
  ]),
  ['initialize', { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }, true],
  ['a method of its own', { jsonrpc: '2.0', id: 1, method: 'acme/run', params: { name: 'file:///secret' } }, true],
  ['a response to the server', { jsonrpc: '2.0', id: 1, result: {} }, true],
  ['a batch of one allowed call and one denied', [ECHO, readResource('file:///secret')], false],
  ['a URI with a dot segment', readResource('file:///public/../secret'), false],
  ['a URI with an encoded dot segment', readResource('file:///public/%2e%2e%2Fsecret'), false],
  ['a URI with a backslash', readResource('file:///public\\..\\secret'), false],
  ['a URI with a letter that is encoded', readResource('file:///%73ecret'), false],
  ['a URI with a dot in a name', readResource('file:///public/a..b.txt'), true],
])('rules decide on %s', async (_what, message, expected) => {
  const rules = [{ deny: 'mcp.resource.name == "file:///secret"' }, { deny: 'mcp.task.name == "t1"' }];
  const { post, received } = createRuledApp({ rules });
  await post(message);
  expect(received.length).toBe(expected ? 1 : 0);
});

describe('the answer to a denied call', () => {
  const rules = ['mcp.tool.name == "echo"', { allow: 'mcp.tool.name == "write"', scopes: ['files:write', 'mcp:call'] }];

  test('is that of a tool which does not exist', async () => {
    const { post } = createRuledApp({ rules });
    const { status, body, headers } = await post(toolCall('delete', {}, 'x'));
    expect([status, body]).toEqual([
      200,
      { jsonrpc: '2.0', id: 'x', error: { code: -32602, message: 'Unknown tool: delete' } },
    ]);
    expect(headers['www-authenticate']).toBeUndefined();
  });

  test('in a batch, each call has its own', async () => {
    const { post } = createRuledApp({ rules });
    const { body } = await post([toolCall('echo', {}, 1), toolCall('delete', {}, 2), { ...getPrompt, id: 3 }]);
    expect(body.map(({ id, error }: never) => [id, (error as { message: string }).message])).toEqual([
      [1, 'Another call of the batch was refused'],
      [2, 'Unknown tool: delete'],
      [3, 'Unknown prompt: greet'],
    ]);
  });

  test.each<[what: string, name: string, claims: object | null, status: number, challenge: object]>([
    ['without a token', 'delete', null, 401, {}],
    ['without a token, where scopes would help', 'write', null, 401, { scope: 'files:write mcp:call' }],
    [
      'with scopes that would help',
      'write',
      { scopes: ['mcp:call'] },
      403,
      { error: 'insufficient_scope', scope: 'files:write mcp:call' },
    ],
    ['whatever the scopes', 'delete', {}, 403, { error: 'access_denied' }],
  ])("'challenge': %s", async (_what, name, claims, status, challenge) => {
    const { post } = createRuledApp({ rules, onDenied: 'challenge' });
    const response = await post(toolCall(name), claims as never);
    expect(response.status).toBe(status);
    expect(parseChallenge(response.headers['www-authenticate'])).toMatchObject(challenge);
    if (!('scope' in challenge)) expect(response.headers['www-authenticate']).not.toContain('scope=');
  });

  test("'challenge': the scopes of a rule are named if its expression looks at them", async () => {
    const allow = 'mcp.tool.name == "write" && "files:write" in jwt.scope.split(" ")';
    const { post } = createRuledApp({ rules: [{ allow, scopes: ['files:write'] }], onDenied: 'challenge' });
    expect((await post(toolCall('write'), { scopes: ['files:write'] })).status).toBe(200);
    const { headers } = await post(toolCall('write'), { scopes: ['other'] });
    expect(parseChallenge(headers['www-authenticate'])).toMatchObject({
      error: 'insufficient_scope',
      scope: 'files:write',
    });
    expect((await post(toolCall('delete'), { scopes: ['other'] })).headers['www-authenticate']).toContain(
      'access_denied',
    );
  });

  test('a rule with scopes needs them', async () => {
    expect(await passes(rules, toolCall('write'), { scopes: ['files:write'] })).toBe(false);
    expect(await passes(rules, toolCall('write'), { scopes: ['files:write', 'mcp:call'] })).toBe(true);
  });

  test('a notification that is denied gets 403, and does not reach the server', async () => {
    const { post, received } = createRuledApp({ rules });
    const { status } = await post({ jsonrpc: '2.0', method: 'tools/call', params: { name: 'delete' } });
    expect([status, received.length]).toEqual([403, 0]);
  });
});

test('permissive mode lets every call pass, and logs what would be denied', async () => {
  const { logger, lines } = createRecordingLogger();
  const rules = [{ deny: 'mcp.tool.name == "delete"' }];
  expect(await passes(rules, toolCall('delete'), {}, { mode: 'permissive', logger })).toBe(true);
  expect(lines).toEqual(['info mcpAuthorization(): would deny the tool delete: rules[0].deny']);
});

test('a rule that fails is logged once a minute, with its place and without values', async () => {
  const { logger, lines } = createRecordingLogger();
  const { post } = createRuledApp({ rules: [{ deny: 'bool(mcp.tool.arguments.flag)' }, 'true'], logger });
  for (let i = 0; i < 3; i += 1) await post(toolCall('echo', { flag: 'secret value' }));
  expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
    'warn mcpAuthorization(): rules[0].deny failed (bool_conversion_error) and therefore denies: bool(mcp.tool.arguments.flag)',
  ]);
  expect(lines.join()).not.toContain('secret value');
});

test('without mcpAuth() in front, requests fail', async () => {
  const { default: express } = await import('express');
  const { mcpAuthorization } = await import('../../src/index.js');
  const { default: request } = await import('supertest');
  const app = express().use(mcpAuthorization({ rules: ['true'] }));
  const { status, text } = await request(app).post('/').send({});
  expect([status, text.includes('no mcpAuth() has handled this request')]).toEqual([500, true]);
});
