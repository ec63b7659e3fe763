import { describe, expect, test } from 'vitest';
import type { ScopeRules } from '../../src/index.js';
import { createScopedApp } from '../support/scoped-app.js';

const RULES = {
  'prompts/get': { secret: false, 'report_*': ['reports:read'] },
  'resources/read': { 'file:///secret/*': false },
  'resources/subscribe': { '*': false, 'file:///public/*': true },
} satisfies ScopeRules;

const complete = (ref: unknown, more: object = {}) => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'completion/complete' },
  params: { ref, argument: { name: 'x', value: '' }, ...more },
});
const prompt = (name: unknown) => ({ type: 'ref/prompt', name });
const resource = (uri: unknown) => ({ type: 'ref/resource', uri });
const listen = (resourceSubscriptions: unknown, more: object = {}) => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' },
  params: { notifications: { resourceSubscriptions, ...more } },
});

describe('rules of mcpScopes() also hold for', () => {
  test.each<[what: string, message: object, status: number]>([
    ['a completion for a prompt that may be used', complete(prompt('greeting')), 200],
    ['a completion for a prompt that is denied', complete(prompt('secret')), 403],
    ['a completion for a prompt in other capitals', complete(prompt('SECRET')), 403],
    ['a completion for a prompt with a scope', complete(prompt('report_1')), 403],
    ['a completion for a resource', complete(resource('file:///public/{x}')), 200],
    ['a completion for a resource that is denied', complete(resource('file:///secret/{x}')), 403],
    ['a completion for another spelling of it', complete(resource('FILE:///%73ecret/{x}')), 403],
    ['a completion for a prompt and a resource', complete({ ...prompt('greeting'), uri: 'file:///secret/a' }), 403],
    ['a completion that names its prompt in two ways', complete({ ...prompt('greeting'), Name: 'secret' }), 403],
    ['a completion with two references', complete(prompt('greeting'), { Ref: prompt('secret') }), 403],
    ['a completion for a name that is no string', complete(prompt(['secret'])), 403],
    ['a completion for a name with a NUL', complete(resource('file:///secret%00/a')), 403],
    ['a completion for nothing', complete(undefined), 200],
    ['a subscription to a resource that may be watched', listen(['file:///public/a']), 200],
    ['a subscription to a resource that is denied', listen(['file:///secret/a']), 403],
    ['a subscription to both', listen(['file:///public/a', 'file:///secret/a']), 403],
    ['a subscription to one that is not in a list', listen('file:///secret/a'), 403],
    ['a subscription to another spelling of it', listen(['file:///public/../secret/a']), 403],
    ['a subscription with two lists', listen([], { ResourceSubscriptions: ['file:///secret/a'] }), 403],
    ['a subscription to very many', listen(Array.from({ length: 4_000 }, (_, i) => `file:///public/${i}`)), 403],
    ['a subscription to lists alone', listen(undefined, { toolsListChanged: true }), 200],
    ['a subscription to tasks', listen(undefined, { taskIds: ['a'] }), 200],
  ])('%s', async (_what, message, status) => {
    const { post, received } = createScopedApp(RULES);
    expect((await post(message)).status).toBe(status);
    expect(received).toHaveLength(status === 200 ? 1 : 0);
  });

  test.each<[string, ScopeRules, object]>([
    ['URI beside a prompt', { 'prompts/get': { secret: false } }, { ...prompt('secret'), uri: 'x'.repeat(70_000) }],
    [
      'name beside a resource',
      { 'resources/read': { 'file:///secret/*': false } },
      { ...resource('file:///secret/a'), name: 'x'.repeat(70_000) },
    ],
  ])('a completion with a very long %s', async (_what, rules, ref) => {
    const { post } = createScopedApp(rules);
    expect((await post(complete(ref))).status).toBe(403);
  });

  test('a completion needs the scope of its prompt', async () => {
    const { post } = createScopedApp(RULES);
    expect((await post(complete(prompt('report_1')), ['reports:read'])).status).toBe(200);
  });

  test.each<[string, ScopeRules]>([
    ['no rules for prompts', { 'resources/read': { '*': false } }],
    ['a rule of its own alone', { 'completion/complete': ['complete'] }],
  ])('nothing else: %s', async (_what, rules) => {
    const { post } = createScopedApp(rules);
    expect((await post(complete(prompt('secret')), ['complete'])).status).toBe(200);
  });

  test('the rule of a function gets the call that is meant', async () => {
    const calls: unknown[] = [];
    const rule = (_auth: unknown, call: unknown) => calls.push(call) > 0;
    const { post } = createScopedApp({ 'prompts/get': { '*': rule } });
    expect((await post(complete(prompt('secret')))).status).toBe(200);
    expect(calls).toEqual([{ method: 'prompts/get', target: 'secret', params: { name: 'secret' } }]);
  });
});
