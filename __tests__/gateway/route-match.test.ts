import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ConfigNode } from '../../src/gateway/config/config-node.js';
import { createRouteTable, readRouteMatch } from '../../src/gateway/config/route-match.js';

type Written = Readonly<Record<string, unknown>>;

/** A table whose values are what was written. Names decide between equals. */
function tableOf(...matches: Written[]) {
  const entries = matches.map((match, i) => [readRouteMatch(new ConfigNode(match, 'm')), `route${i}`, match] as const);
  return createRouteTable(entries);
}

const exact = (path: string) => ({ path: { exact: path } });
const prefix = (path: string) => ({ path: { pathPrefix: path } });

/** As much of a request as a match reads. */
const request = (url: string, method = 'GET', headersDistinct: Record<string, string[]> = {}) =>
  ({ url, method, headersDistinct }) as unknown as IncomingMessage;

describe('paths', () => {
  const [a, aBelow, long, mcp, proto] = [
    exact('/a'),
    prefix('/a'),
    prefix('/a/long/'),
    exact('/mcp'),
    exact('/__proto__'),
  ];
  const find = tableOf(aBelow, a, long, mcp, proto);

  test.each([
    ['/a', a],
    ['/a?query', a],
    ['/a/', aBelow],
    ['/a/b', aBelow],
    ['/a/longer', aBelow],
    ['/a/long', long],
    ['/a/long/b', long],
    ['/ab', undefined],
    ['/mcp', mcp],
    ['/mcp/', undefined],
    ['/MCP', undefined],
    ['//mcp', undefined],
    ['/%6dcp', undefined],
    ['/mcp;x', undefined],
    ['/__proto__', proto],
    ['/constructor', undefined],
    ['http://host/mcp', mcp],
    ['http://host//mcp', undefined],
    ['http://user@host/mcp', undefined],
    ['*', undefined],
    ['', undefined],
  ])('%s', (path, found) => {
    expect(find(request(path))).toBe(found);
  });

  test('a prefix of everything takes every path', () => {
    const everything = prefix('/');
    const table = tableOf(everything, a);
    expect(['/', '/a', '/b/c'].map((path) => table(request(path)))).toEqual([everything, a, everything]);
  });
});

describe('regular expressions', () => {
  const regex = (text: string) => ({ path: { regex: text } });
  const [tenants, all] = [regex('/tenants/[a-z]+'), regex('.*')];
  const find = tableOf(all, tenants, prefix('/tenants/fixed'));

  test.each([
    ['/tenants/acme', tenants],
    ['/tenants/acme/mcp', all],
    ['/tenants/fixed', prefix('/tenants/fixed')],
  ])('%s: the whole path must match, and a prefix comes first', (path, found) => {
    expect(find(request(path))).toEqual(found);
  });

  test('of headers and parameters match the whole value', () => {
    const value = (name: string) => [{ name, value: { regex: 'v[0-9]+' } }];
    const table = tableOf({ headers: value('x-v'), query: value('v') });
    const found = (url: string, header: string) => table(request(url, 'GET', { 'x-v': [header] })) !== undefined;
    expect([found('/?v=v1', 'v22'), found('/?v=v1x', 'v22'), found('/?v=v1', 'xv22'), found('/', 'v1')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('take time in proportion to the path', () => {
    const table = tableOf(regex('/(a+)+b'));
    const began = process.cpuUsage();
    expect(table(request(`/${'a'.repeat(10_000)}`))).toBeUndefined();
    expect(process.cpuUsage(began).user / 1_000, 'milliseconds').toBeLessThan(2_000);
  });

  test.each(['(', '(?=a)', '\\1'])('%s is refused', (text) => {
    expect(() => tableOf(regex(text))).toThrow('m.path.regex must be a regular expression of RE2: ');
  });
});

describe('agentgateway’s priorities: ', () => {
  const header = (name: string, value: string) => ({ name, value: { exact: value } });
  const posts = { ...prefix('/'), method: 'POST' };
  const tenant = { ...prefix('/'), headers: [header('X-Tenant', 'a')] };
  const both = { ...prefix('/'), headers: [header('x-tenant', 'a'), header('x-beta', '')] };
  const version = { ...prefix('/'), query: [header('v', '2 3')] };
  const rest = prefix('/');
  const longer = prefix('/longer');
  const find = tableOf(rest, version, tenant, both, posts, longer);

  test.each([
    ['a longer prefix before a method', request('/longer', 'POST'), longer],
    ['a method before headers', request('/', 'POST', { 'x-tenant': ['a'] }), posts],
    ['more headers before fewer', request('/', 'GET', { 'x-tenant': ['a'], 'x-beta': [''] }), both],
    ['a header before a parameter', request('/?v=2+3', 'GET', { 'x-tenant': ['a'] }), tenant],
    ['a parameter before nothing', request('/?x&v=2%203'), version],
    ['the last of several parameters', request('/?v=2%203&v=1'), rest],
    ['a header with another value does not match', request('/', 'GET', { 'x-tenant': ['b'] }), rest],
    ['a header that is sent twice matches with either value', request('/', 'GET', { 'x-tenant': ['b', 'a'] }), tenant],
    ['a header that has both values in one does not match', request('/', 'GET', { 'x-tenant': ['a, b'] }), rest],
    ['a method in other letters does not match', request('/', 'post'), rest],
  ])('%s', (_what, req, found) => {
    expect(find(req)).toBe(found);
  });

  test('the name decides between equals', () => {
    const [one, other] = [prefix('/'), prefix('/')];
    const entries = [one, other].map((match) => readRouteMatch(new ConfigNode(match)));
    const table = createRouteTable([
      [entries[0] as never, 'b', 'second'],
      [entries[1] as never, 'a', 'first'],
    ]);
    expect(table(request('/'))).toBe('first');
  });
});
