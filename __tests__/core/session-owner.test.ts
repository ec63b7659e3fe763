import { createServer, type IncomingMessage } from 'node:http';
import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { sessionOwnerOf } from '../../src/core/session-owner.js';

const auth = (payload: Record<string, unknown>, clientId = 'client', token = 'token'): AuthInfo => ({
  token,
  clientId,
  scopes: [],
  extra: payload,
  header: {},
  payload,
  ...(typeof payload.sub === 'string' && { subject: payload.sub }),
});

const alice = auth({ iss: 'i', sub: 'alice' });

/** The owner that is found behind a mount, for a real request of `target`. */
async function ownerAt(target: string, caller: AuthInfo | undefined, mount = '/'): Promise<string> {
  let owner = '';
  const app = express().use(mount, (req, res) => {
    owner = sessionOwnerOf(req, caller);
    res.end();
  });
  await request(app).post(target);
  return owner;
}

test.each([
  ['a query', '/mcp?a=/b'],
  ['a slash at the end', '/mcp/'],
  ['other capitals', '/MCP'],
  ['a mount', '/mcp', '/mcp'],
  ['a mount and other capitals', '/Mcp/?x', '/mcp'],
])('is the same with %s', async (_name, target, mount = '/') => {
  expect(await ownerAt(target, alice, mount)).toBe(await ownerAt('/mcp', alice));
  expect(await ownerAt(target, undefined, mount)).toBe(await ownerAt('/mcp', undefined));
});

test('is the same on bare node:http', async () => {
  let owner = '';
  const server = createServer((req: IncomingMessage, res) => {
    owner = sessionOwnerOf(req, alice);
    res.end();
  });
  await request(server).post('/mcp?x');
  expect(owner).toBe(await ownerAt('/mcp', alice));
});

test('is another one for another user, issuer, client, path, and for anonymous callers', async () => {
  const others: [AuthInfo | undefined, string][] = [
    [alice, '/mcp'],
    [alice, '/mcp/more'],
    [alice, '/'],
    [auth({ iss: 'i', sub: 'bob' }), '/mcp'],
    [auth({ iss: 'j', sub: 'alice' }), '/mcp'],
    [auth({ iss: 'i', sub: 'alice' }, 'other'), '/mcp'],
    [auth({ iss: 'i', sub: 'anonymous' }, 'anonymous'), '/mcp'],
    [auth({ iss: 'i' }, 'client', 'one token'), '/mcp'],
    [auth({ iss: 'i' }, 'client', 'another token'), '/mcp'],
    [undefined, '/mcp'],
  ];
  const owners = await Promise.all(others.map(([caller, target]) => ownerAt(target, caller)));
  expect(new Set(owners).size).toBe(others.length);
});

test('does not change with the token of a user', async () => {
  const renewed = auth({ iss: 'i', sub: 'alice', exp: 2 }, 'client', 'another token');
  expect(await ownerAt('/mcp', renewed)).toBe(await ownerAt('/mcp', alice));
});
