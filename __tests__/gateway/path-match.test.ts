import { describe, expect, test } from 'vitest';
import { createPathTable, type PathMatch } from '../../src/gateway/config/path-match.js';

const exact = (path: string): [PathMatch, string] => [{ kind: 'exact', path, at: '' }, `exact ${path}`];
const prefix = (path: string): [PathMatch, string] => [{ kind: 'pathPrefix', path, at: '' }, `prefix ${path}`];

describe('createPathTable', () => {
  const find = createPathTable([prefix('/a'), exact('/a'), prefix('/a/long'), exact('/mcp'), exact('/__proto__')]);

  test.each([
    ['/a', 'exact /a'],
    ['/a/', 'prefix /a'],
    ['/a/b', 'prefix /a'],
    ['/a/longer', 'prefix /a'],
    ['/a/long', 'prefix /a/long'],
    ['/a/long/b', 'prefix /a/long'],
    ['/ab', undefined],
    ['/mcp', 'exact /mcp'],
    ['/mcp/', undefined],
    ['/MCP', undefined],
    ['//mcp', undefined],
    ['/%6dcp', undefined],
    ['/mcp;x', undefined],
    ['/__proto__', 'exact /__proto__'],
    ['/constructor', undefined],
    ['http://host/mcp', undefined],
    ['*', undefined],
    ['', undefined],
  ])('%s', (path, found) => {
    expect(find(path)).toBe(found);
  });

  test('a prefix of everything takes every path', () => {
    const everything = createPathTable([prefix(''), exact('/a')]);
    expect(['/', '/a', '/b/c'].map(everything)).toEqual(['prefix ', 'exact /a', 'prefix ']);
  });
});
