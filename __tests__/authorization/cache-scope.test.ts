import express from 'express';
import { describe, expect, test } from 'vitest';
import { type Middleware, mcpAuth, mcpAuthorization, mcpScopes } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp' });
const REVISION = '2026-07-28';
const META = { 'io.modelcontextprotocol/protocolVersion': REVISION };

const CONTENTS = { contents: [{ uri: 'file:///a', text: 'the tools\u0007' }], ttlMs: 60_000, cacheScope: 'public' };
const LIST = { resources: [{ uri: 'file:///a' }, { name: 'no URI' }], ttlMs: 60_000, cacheScope: 'public' };

interface Asked {
  readonly method?: string;
  readonly params?: object;
  readonly result?: object;
  readonly type?: string;
}

/** Calls a server behind a middleware of rules, and returns the body of its answer. */
async function answerBehind(rules: Middleware, { method = 'resources/read', params, result, type }: Asked = {}) {
  const json = JSON.stringify({ jsonrpc: '2.0', id: 1, result: result ?? CONTENTS });
  const app = express().use(mcpAuth(policy), rules);
  app.use((_req, res) => void res.type(type ?? 'json').end(type === undefined ? json : `data: ${json}\n\n`));
  const response = await fetch(await serve(app), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${issuer.token({ sub: 'alice', scopes: ['read'] })}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method },
      params: params ?? { uri: 'file:///a', _meta: META },
    }),
  });
  const text = await response.text();
  return JSON.parse(text.replace(/^data: /, '')).result;
}

const alice = mcpAuthorization({ rules: ['jwt.sub == "alice"'] });
const scoped = mcpScopes({ 'resources/read': { 'file:///*': ['read'] } });

describe('no cache may give another caller what rules decide on:', () => {
  test.each<[what: string, rules: Middleware, asked: Asked]>([
    ['contents, by rules', alice, {}],
    ['contents, by rules that hide nothing', mcpAuthorization({ rules: ['has(jwt.sub)'], hide: false }), {}],
    ['contents, by scopes', scoped, {}],
    ['contents, by a function', mcpScopes({ 'resources/read': () => true }), {}],
    ['contents, by another spelling', mcpScopes({ 'resources/read': { 'FILE:///a': ['read'] } }), {}],
    ['contents in an event', alice, { type: 'text/event-stream' }],
    ['a result without a scope', scoped, { result: { contents: [], ttlMs: 60_000 } }],
    ['a result with an unknown scope', scoped, { result: { contents: [], ttlMs: 60_000, cacheScope: 'Public' } }],
    [
      'a list, by scopes',
      mcpScopes({ 'resources/list': ['read'] }),
      { method: 'resources/list', params: { _meta: META }, result: LIST },
    ],
    [
      'the description of the server',
      mcpScopes({ 'server/discover': ['read'] }),
      { method: 'server/discover', params: { _meta: META } },
    ],
    [
      'a result of an extension',
      mcpScopes({ 'skills/read': ['read'] }),
      { method: 'skills/read', params: { _meta: META } },
    ],
  ])('%s', async (_what, rules, asked) => {
    const result = asked.result ?? CONTENTS;
    expect(await answerBehind(rules, asked)).toEqual({ ...result, cacheScope: 'private' });
  });
});

describe('stays as the server marks it:', () => {
  test.each<[what: string, rules: Middleware, asked: Asked]>([
    ['contents that no rule is about', mcpScopes({ 'resources/read': { 'db://*': ['write'] } }), {}],
    ['contents that everybody may read', mcpScopes({ 'resources/read': { '*': false, 'file:///a': true } }), {}],
    ['what permissive rules let pass', mcpAuthorization({ rules: ['false'], mode: 'permissive' }), {}],
    ['a result without a time', scoped, { result: { contents: [] } }],
    ['an answer of an older revision', scoped, { params: { uri: 'file:///a' } }],
    ['a list that nothing is hidden from', scoped, { method: 'resources/list', params: { _meta: META }, result: LIST }],
    ['the description of the server', alice, { method: 'server/discover', params: { _meta: META } }],
  ])('%s', async (_what, rules, asked) => {
    expect(await answerBehind(rules, asked)).toEqual(asked.result ?? CONTENTS);
  });
});
