import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shareValue } from '../../src/core/shared-state.js';
import {
  hasNamesToLearn,
  learnNames,
  listedName,
  OTHER,
  startLearningNames,
} from '../../src/telemetry/listed-names.js';

const toolsOf = (names: readonly unknown[]) => ({ tools: names.map((name) => ({ name })) });
const tool = (route: string, name: string | undefined) => listedName({ route, method: 'tools/call', name });

// Files of tests may run in one process, one after the other.
const shared = shareValue('listedNames', () => ({ isNeeded: false, names: new Map<string, Set<string>>() }));
beforeAll(() => {
  shared.isNeeded = false;
});
afterAll(() => shared.names.clear());

test('lists are read only once something needs the names', () => {
  expect(hasNamesToLearn('tools/list')).toBe(false);
  startLearningNames();
  expect(hasNamesToLearn('tools/list')).toBe(true);
  expect(hasNamesToLearn('tools/call')).toBe(false);
  expect(hasNamesToLearn('toString')).toBe(false);
});

describe('names in metrics', () => {
  beforeAll(startLearningNames);

  test.each([
    ['a tool', 'tools/list', { tools: [{ name: 'add' }] }, 'tools/call', 'add'],
    ['a prompt', 'prompts/list', { prompts: [{ name: 'greet' }] }, 'prompts/get', 'greet'],
    ['a resource', 'resources/list', { resources: [{ uri: 'a://b' }] }, 'resources/read', 'a://b'],
    ['a resource to subscribe to', 'resources/list', { resources: [{ uri: 'c://d' }] }, 'resources/subscribe', 'c://d'],
  ])('%s that its route has listed has its name', (what, list, result, method, name) => {
    expect(listedName({ route: what, method, name })).toBe(OTHER);
    learnNames(what, list, result);
    expect(listedName({ route: what, method, name })).toBe(name);
    expect(listedName({ route: 'another', method, name })).toBe(OTHER);
  });

  test('a call without a name has none, and a name of another kind is not known', () => {
    learnNames('kinds', 'tools/list', toolsOf(['add']));
    expect(tool('kinds', undefined)).toBeUndefined();
    expect(listedName({ route: 'kinds', method: 'prompts/get', name: 'add' })).toBe(OTHER);
    expect(listedName({ route: 'kinds', method: 'made/up', name: 'add' })).toBe(OTHER);
  });

  test.each([
    ['no list', undefined],
    ['no array', { tools: { name: 'x' } }],
    ['entries of other types', { tools: [null, 'x', { name: 1 }, { title: 'x' }] }],
    ['a name with a control character', toolsOf(['x\n'])],
    ['a name with half a surrogate pair', toolsOf(['x\ud800'])],
    ['a long name', toolsOf(['x'.repeat(201)])],
  ])('an answer with %s announces nothing', (what, result) => {
    learnNames(what, 'tools/list', result);
    for (const name of ['x', 'x\n', 'x\ud800', 'x'.repeat(201)]) expect(tool(what, name)).toBe(OTHER);
  });

  test('of a server that lists very many tools, the first thousand have names', () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `tool-${i}`);
    learnNames('many', 'tools/list', toolsOf(names.slice(0, 500)));
    learnNames('many', 'tools/list', toolsOf(names));
    expect(names.filter((name) => tool('many', name) === name)).toEqual(names.slice(0, 1_000));
  });

  test('paths that clients make up take a bounded room', () => {
    const routes = Array.from({ length: 3_000 }, (_, i) => `/made-up/${i}`);
    for (const route of routes) learnNames(route, 'tools/list', toolsOf(['add']));
    expect(routes.filter((route) => tool(route, 'add') === 'add').length).toBeLessThanOrEqual(1_000);
  });
});
