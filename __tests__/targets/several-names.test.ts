import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';

const TWO = { a: {}, b: {} };

test('initialize: one server, with the capabilities of all and their instructions under headings', async () => {
  const client = several({ a: { WITHOUT: 'prompts,tasks' }, b: { WITHOUT: 'resources' } }).connect();
  const { result } = await client.initialize();
  expect(result).toEqual({
    protocolVersion: '2025-11-25',
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true },
      completions: {},
      logging: {},
      prompts: {},
      tasks: { list: {}, cancel: {} },
    },
    serverInfo: { name: 'several', version: '1' },
    instructions: '# a\n\nUse a.\n\n# b\n\nUse b.',
  });
});

const METHODS: readonly [method: string, params: object, result: object][] = [
  ['ping', {}, {}],
  ['tools/call', { name: 'b_echo', arguments: { x: 1 } }, { content: [{ type: 'text', text: 'b {"x":1}' }] }],
  [
    'prompts/get',
    { name: 'a_greet' },
    {
      messages: [{ role: 'user', content: { type: 'resource', resource: { uri: 'a+note:///1', text: 'a greet' } } }],
    },
  ],
  [
    'prompts/list',
    {},
    {
      prompts: [
        { name: 'a_greet', description: 'a' },
        { name: 'b_greet', description: 'b' },
      ],
    },
  ],
  [
    'resources/list',
    {},
    {
      resources: [
        { uri: 'a+note:///1', name: 'one' },
        { uri: 'a+ui://view', name: 'view' },
        { uri: 'b+note:///1', name: 'one' },
        { uri: 'b+ui://view', name: 'view' },
      ],
    },
  ],
  [
    'resources/templates/list',
    {},
    {
      resourceTemplates: [
        { uriTemplate: 'a+note:///{id}', name: 'notes' },
        { uriTemplate: 'b+note:///{id}', name: 'notes' },
      ],
    },
  ],
  ['resources/read', { uri: 'b+note:///9' }, { contents: [{ uri: 'b+note:///9', text: 'b' }] }],
  ['resources/subscribe', { uri: 'b+note:///9' }, {}],
  ['resources/unsubscribe', { uri: 'b+note:///9' }, {}],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'b_greet' } }, { completion: { values: ['b greet'] } }],
  [
    'completion/complete',
    { ref: { type: 'ref/resource', uri: 'a+note:///{id}' } },
    { completion: { values: ['a note:///{id}'] } },
  ],
  ['logging/setLevel', { level: 'debug' }, {}],
  ['tools/call', { name: 'a_task' }, { task: { taskId: 'a+t1', status: 'working' } }],
  [
    'tasks/list',
    {},
    {
      tasks: [
        { taskId: 'a+t1', status: 'working' },
        { taskId: 'b+t1', status: 'working' },
      ],
    },
  ],
  ['tasks/get', { taskId: 'b+t1' }, { taskId: 'b+t1', status: 'working' }],
  ['tasks/cancel', { taskId: 'b+t1' }, { taskId: 'b+t1', status: 'cancelled' }],
  [
    'tasks/result',
    { taskId: 'a+t1' },
    { content: [{ type: 'text', text: 'a' }], _meta: { 'io.modelcontextprotocol/related-task': { taskId: 'a+t1' } } },
  ],
];

test.each(METHODS)('%s %j goes where it belongs', async (method, params, result) => {
  const client = several(TWO).connect();
  await client.initialize();
  expect(await client.request(method, params)).toEqual({ jsonrpc: '2.0', id: 2, result });
});

test('links to resources in results are renamed, and nothing else', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const { result } = await client.request('tools/call', { name: 'a_links' });
  expect(result).toEqual({
    content: [
      { type: 'resource_link', uri: 'a+note:///1', name: 'one' },
      { type: 'resource', resource: { uri: 'a+note:///2', text: 'note:///3 stays' } },
      { type: 'text', text: 'note:///4 stays' },
    ],
    structuredContent: { uri: 'note:///5 stays' },
    _meta: { ui: { resourceUri: 'a+ui://view' } },
  });
});

test('tools/list has the tools of all targets, with their links', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const { result } = await client.request('tools/list');
  const names = result.tools.map(({ name }: { name: string }) => name);
  expect(names).toContain('a_echo');
  expect(names).toContain('b_echo');
  expect(result.tools.find(({ name }: { name: string }) => name === 'b_links')._meta).toEqual({
    ui: { resourceUri: 'b+ui://view' },
  });
});

test.each([
  ['tools/call', { name: 'echo' }, -32602],
  ['tools/call', { name: 'c_echo' }, -32602],
  ['tools/call', { name: '_echo' }, -32602],
  ['tools/call', { name: 'A_echo' }, -32602],
  ['tools/call', {}, -32602],
  ['prompts/get', { name: 'constructor_greet' }, -32602],
  ['resources/read', { uri: 'note:///1' }, -32002],
  ['resources/read', { uri: 'c+note:///1' }, -32002],
  ['tasks/get', { taskId: 't1' }, -32602],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'greet' } }, -32602],
  ['completion/complete', { ref: { type: 'ref/other' } }, -32602],
  ['completion/complete', {}, -32602],
  ['no/such', {}, -32601],
])('%s %j is refused: no target has it', async (method, params, code) => {
  const client = several(TWO).connect();
  await client.initialize();
  expect((await client.request(method, params)).error.code).toBe(code);
});

test('URIs are unchanged if one target alone announces resources', async () => {
  const { connect, source } = several({ a: { WITHOUT: 'resources' }, b: {} });
  const client = connect();
  await client.initialize();
  const { result } = await client.request('resources/read', { uri: 'note:///1' });
  expect(result).toEqual({ contents: [{ uri: 'note:///1', text: 'b' }] });
  expect(source.resolve('resource', 'a+note:///1')).toEqual({ target: 'b', name: 'a+note:///1' });
});

test("a target whose names look like another's prefix gets only its own calls", async () => {
  const client = several({ a: { PREFIX: 'b_' }, b: {}, 'a-b': {} }).connect();
  await client.initialize();
  expect(await client.text('a_b_echo')).toBe('a {}');
  expect(await client.text('b_echo')).toBe('b {}');
  expect(await client.text('a-b_echo')).toBe('a-b {}');
  const { result } = await client.request('tools/list');
  const names = result.tools.map(({ name }: { name: string }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test("prefixMode 'always' with one target, 'conditional' with one", async () => {
  const always = several({ a: {} }, { prefixMode: 'always' }).connect();
  await always.initialize();
  expect(await always.text('a_echo')).toBe('a {}');
  const conditional = several({ a: {} }).connect();
  await conditional.initialize();
  expect(await conditional.text('echo')).toBe('a {}');
  const { result } = await conditional.request('resources/list');
  expect(result.resources[0].uri).toBe('note:///1');
});

test("prefixMode 'never': a name that two targets have is hidden, with a warning", async () => {
  const { connect, lines, source } = several({ a: { PREFIX: 'x' }, b: { PAGES: '1' }, c: {} }, { prefixMode: 'never' });
  const client = connect();
  await client.initialize();
  // Even before a list: the first call reads all lists.
  expect(await client.text('xecho')).toBe('a {}');
  expect(await client.text('echo')).toBe('error Unknown tool');
  const { result } = await client.request('tools/list');
  const names = result.tools.map(({ name }: { name: string }) => name);
  expect(names).toContain('xecho');
  expect(names).not.toContain('echo');
  expect(lines.filter((line) => line.includes('the tool "echo" is hidden'))).toHaveLength(1);
  expect(source.resolve('tool', 'xecho')).toEqual({ target: 'a', name: 'xecho' });
  expect(source.resolve('tool', 'echo')).toBeUndefined();
});

test("prefixMode 'never': a target without tools is not waited for, and lists are read once", async () => {
  const targets = { a: { LIST_MS: '400' }, b: { WITHOUT: 'tools' } };
  const client = several(targets, { prefixMode: 'never' }).connect();
  await client.initialize();
  expect(await client.text('echo')).toBe('a {}');
  const since = performance.now();
  expect([await client.text('echo'), await client.text('echo')]).toEqual(['a {}', 'a {}']);
  expect(performance.now() - since).toBeLessThan(400);
});

test('resolve() says which target a name means', () => {
  const { source } = several(TWO);
  expect(source.resolve('tool', 'a_b_c')).toEqual({ target: 'a', name: 'b_c' });
  expect(source.resolve('resource', 'b+file:///a+b')).toEqual({ target: 'b', name: 'file:///a+b' });
  expect(source.resolve('task', 'b+1')).toEqual({ target: 'b', name: '1' });
  expect(source.resolve('prompt', 'c_x')).toBeUndefined();
});

test('lists have one cursor, which another connection can use', async () => {
  const { connect } = several({ a: { PAGES: '1' }, b: {} });
  const client = connect();
  await client.initialize();
  const first = (await client.request('resources/list')).result;
  expect(first.resources.map(({ uri }: { uri: string }) => uri)).toEqual(['a+note:///1', 'b+note:///1', 'b+ui://view']);
  const other = connect();
  await other.initialize();
  const second = (await other.request('resources/list', { cursor: first.nextCursor })).result;
  expect(second).toEqual({ resources: [{ uri: 'a+ui://view', name: 'view' }] });
});

test.each([
  ['another text', 'x'],
  ['a cursor of no target', Buffer.from('{"c":"1"}').toString('base64url')],
  ['a cursor that its target refuses', Buffer.from('{"a":"99"}').toString('base64url')],
  ['an empty object', Buffer.from('{}').toString('base64url')],
  ['a number', Buffer.from('{"a":1}').toString('base64url')],
])('%s is refused as a cursor', async (_name, cursor) => {
  const client = several({ a: { PAGES: '1' }, b: {} }, { failureMode: 'failOpen' }).connect();
  await client.initialize();
  expect((await client.request('tools/list', { cursor })).error.code).toBe(-32602);
});

test('a list that no target has is an unknown method', async () => {
  const client = several({ a: { WITHOUT: 'prompts' }, b: { WITHOUT: 'prompts' } }).connect();
  await client.initialize();
  expect((await client.request('prompts/list')).error.code).toBe(-32601);
});

test('a completion is an unknown method if no target has completions', async () => {
  const client = several({ a: { WITHOUT: 'completions' }, b: { WITHOUT: 'completions' } }).connect();
  await client.initialize();
  expect((await client.request('completion/complete', { ref: { type: 'ref/other' } })).error.code).toBe(-32601);
});
