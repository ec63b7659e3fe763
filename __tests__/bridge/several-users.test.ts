import { describe, expect, test } from 'vitest';
import type { AuthInfo } from '../../src/index.js';
import {
  call,
  callText,
  type Headers,
  open,
  post,
  postStateless,
  statelessCall,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE } from '../support/stdio-bridge.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };

/** The environment of the target `two` for each user; `one` is the same for all, and its names begin with `x`. */
type OfUsers = Readonly<Record<'ada' | 'bob', Readonly<Record<string, string>>>>;

/** Serves two targets without prefixes. Each user has processes of their own. */
async function serve(users: OfUsers) {
  const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
  const env = (auth: AuthInfo | undefined) => ({ NAME: 'two', ...users[auth?.subject as 'ada' | 'bob'] });
  const targets = { one: { ...plain, env: { NAME: 'one', PREFIX: 'x', WITHOUT: 'prompts' } }, two: { ...plain, env } };
  return serveTargets({ targets, prefixMode: 'never' });
}

const toolsOf = (...names: string[]) => ({ TOOLS: JSON.stringify(names.map((name) => ({ name, inputSchema: {} }))) });
const promptOf = (id: number, name: string) => ({ jsonrpc: '2.0', id, method: 'prompts/get', params: { name } });
const listOf = (id: number) => ({ jsonrpc: '2.0', id, method: 'tools/list' });

/** A client of one user, who calls tools and lists them. */
interface User {
  text(tool: string): Promise<string>;
  /** Resolves to the code of the error that a call ends with. */
  code(tool: string): Promise<number | undefined>;
  /** Resolves to the names of the tools. */
  list(): Promise<readonly string[]>;
  /** Resolves to the code of the error that a request for a prompt ends with. */
  promptCode(name: string): Promise<number | undefined>;
}

type Listed = { result: { tools: { name: string }[] } };
type Failed = { error?: { code: number } };
const namesIn = async (response: Response) => ((await response.json()) as Listed).result.tools.map(({ name }) => name);
const codeIn = async (response: Response) => ((await response.json()) as Failed).error?.code;

const WAYS: Readonly<Record<string, (url: string, headers: Headers) => Promise<User>>> = {
  async 'with sessions'(url, headers) {
    const session = await open(url, headers);
    return {
      text: (tool) => callText(url, session, tool),
      code: async (tool) => codeIn(await post(url, call(1, tool), session)),
      list: async () => namesIn(await post(url, listOf(2), session)),
      promptCode: async (name) => codeIn(await post(url, promptOf(3, name), session)),
    };
  },
  async 'without sessions'(url, headers) {
    return {
      text: (tool) => statelessText(url, tool, {}, headers),
      code: async (tool) => codeIn(await postStateless(url, statelessCall(1, tool), headers)),
      list: async () => namesIn(await postStateless(url, statelessRequest(2, 'tools/list'), headers)),
      promptCode: async (name) =>
        codeIn(await postStateless(url, statelessRequest(3, 'prompts/get', { name }), headers)),
    };
  },
};

const DIFFERENCES: readonly (readonly [string, OfUsers])[] = [
  ['announces no tools to the other user', { ada: { WITHOUT: 'tools' }, bob: {} }],
  ['lists fewer tools for the other user', { ada: toolsOf('pid'), bob: {} }],
  ['lists no tool for the other user', { ada: toolsOf(), bob: {} }],
];

describe.each(Object.entries(WAYS))('%s', (_way, openFor) => {
  test.each(DIFFERENCES)('a tool can be called before it is listed, if its target %s', async (_what, users) => {
    const { url } = await serve(users);
    const ada = await openFor(url, ADA);
    // The first call of a user reads all lists.
    expect(await ada.text('xecho')).toBe('one {}');
    const bob = await openFor(url, BOB);
    expect(await bob.text('echo')).toBe('two {}');
    expect(await bob.text('xecho')).toBe('one {}');
    expect(await bob.code('none')).toBe(-32602);
  });

  test.each(DIFFERENCES)('a list has the tools of its user, if a target %s', async (_what, users) => {
    const { url } = await serve(users);
    const [ada, bob] = [await openFor(url, ADA), await openFor(url, BOB)];
    for (const _round of [1, 2]) {
      expect(await ada.list()).not.toContain('echo');
      expect(await bob.list()).toContain('echo');
      for (const user of [ada, bob]) expect(await user.list()).toContain('xecho');
    }
  });

  test('a prompt can be asked for before it is listed, if its target announces no prompts to the other user', async () => {
    const { url } = await serve({ ada: { WITHOUT: 'prompts' }, bob: {} });
    const [ada, bob] = [await openFor(url, ADA), await openFor(url, BOB)];
    expect(await ada.promptCode('greet')).toBe(-32602);
    expect(await bob.promptCode('greet')).toBeUndefined();
    expect(await bob.promptCode('none')).toBe(-32602);
  });

  test('a target that announces no tools to a user refuses the call of a tool that it has for another', async () => {
    const { url } = await serve({ ada: { WITHOUT: 'tools' }, bob: {} });
    const [ada, bob] = [await openFor(url, ADA), await openFor(url, BOB)];
    expect(await bob.text('echo')).toBe('two {}');
    expect(await ada.code('echo')).toBe(-32601);
    expect(await ada.text('xecho')).toBe('one {}');
  });
});

/** A remote server with one tool: `NAME_for_anonymous`, or `NAME_for_ada` for the user of that name. */
function startServer(name: string) {
  return startRecordingTarget(({ body, headers, method: verb }, res) => {
    if (verb !== 'POST') return void res.writeHead(405).end();
    const { id, method } = JSON.parse(body);
    if (id === undefined) return void res.writeHead(202).end();
    const tools = [{ name: `${name}_for_${headers['x-user'] ?? 'anonymous'}`, inputSchema: {} }];
    const results: Readonly<Record<string, object>> = {
      initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name, version: '1' } },
      'tools/list': { tools },
      'tools/call': { content: [{ type: 'text', text: name }] },
    };
    const answer = { result: results[method], ...(results[method] === undefined && { error: { code: -32601 } }) };
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  });
}

test('anonymous calls of names that no target has listed read the lists once, and not those of users', async () => {
  const servers = { one: await startServer('one'), two: await startServer('two') };
  const headers = (auth: AuthInfo | undefined) => ({ 'x-user': auth?.subject });
  const targets = { one: { url: servers.one.url, headers }, two: { url: servers.two.url, headers } };
  // Each anonymous request has a connection of its own.
  const { url } = await serveTargets({ targets, prefixMode: 'never', sessions: false });
  const lists = () =>
    Object.values(servers).map(({ arrived }) => arrived.filter(({ body }) => body.includes('tools/list')).length);
  expect(await callText(url, ADA, 'one_for_ada')).toBe('one');
  expect(lists()).toEqual([1, 1]);
  expect(await callText(url, {}, 'two_for_anonymous')).toBe('two');
  for (let id = 1; id <= 5; id++) expect(await codeIn(await post(url, call(id, 'none')))).toBe(-32602);
  expect(lists()).toEqual([2, 2]);
});
