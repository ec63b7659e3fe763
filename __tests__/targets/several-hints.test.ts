import { describe, expect, test } from 'vitest';
import { several, type Targets } from '../support/several-targets.js';

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
const TTL = { TTL_MS: '1000' };
const KEPT = { resultType: 'complete', ttlMs: 1_000, cacheScope: 'public' };
const NOT_KEPT = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };

const ROWS: readonly [what: string, b: Targets[string], hints: object][] = [
  ['all targets answer', TTL, KEPT],
  ['a target has no lists of any kind', { ...TTL, WITHOUT: 'tools,prompts,resources,tasks' }, KEPT],
  ['a target is missing', { ...TTL, FAILS: '1' }, NOT_KEPT],
];

describe.each(ROWS)('the cache hints that clients get if %s', (_what, b, hints) => {
  test.each([
    'tools/list',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
    'tasks/list',
    'server/discover',
  ])('%s', async (method) => {
    const client = several({ a: TTL, b }, { failureMode: 'failOpen' }).connect();
    expect((await client.request(method, { _meta: META })).result).toMatchObject(hints);
  });
});

test('a list that one target answers with an error is not for caches', async () => {
  const client = several({ a: TTL, b: { ...TTL, TOOLS: '1' } }, { failureMode: 'failOpen' }).connect();
  expect((await client.request('tools/list', { _meta: META })).result).toMatchObject(NOT_KEPT);
});

test('an incomplete list of a revision without cache hints gets none', async () => {
  const client = several({ a: {}, b: { FAILS: '1' } }, { failureMode: 'failOpen' }).connect();
  await client.initialize();
  expect(Object.keys((await client.request('tools/list')).result)).toEqual(['tools']);
});

test.each<[what: string, b: Targets[string]]>([
  ['of which one part is private', { ...TTL, SCOPE: 'private' }],
  ['that lacks a target', { ...TTL, FAILS: '1' }],
])('after a page %s, all pages of the list are private', async (_what, b) => {
  const client = several({ a: { ...TTL, PAGES: '1' }, b }, { failureMode: 'failOpen' }).connect();
  const scopes: unknown[] = [];
  for (let cursor: string | undefined, n = 0; n === 0 || (cursor !== undefined && n < 4); n++) {
    const { result } = await client.request('tools/list', { _meta: META, ...(n > 0 && { cursor }) });
    scopes.push(result.cacheScope);
    cursor = result.nextCursor;
  }
  expect(scopes).toEqual(['private', 'private', 'private', 'private']);
});

test('pages of targets that are all public stay public', async () => {
  const client = several({ a: { ...TTL, PAGES: '1' }, b: TTL }).connect();
  const { result } = await client.request('tools/list', { _meta: META });
  const next = await client.request('tools/list', { _meta: META, cursor: result.nextCursor });
  expect([result.cacheScope, next.result.cacheScope]).toEqual(['public', 'public']);
});
