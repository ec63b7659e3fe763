import express from 'express';
import { expect, test } from 'vitest';
import { filterLists } from '../../src/authorization/list-filter.js';
import { mcpAuth, mcpAuthorization } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';

const written = (tools: string, more = '') =>
  `{ "jsonrpc":"2.0","id":9223372036854775807, "result" : {${more}"tools": ${tools},"size":1.0, "max":1e400} }`;
const echo = '{ "name":"ech\\u006f","inputSchema":{"maximum":18446744073709551615, "minimum":-0.0}}';
const sum = '{"name" : "sum"}';
const hidden = '{"name":"delete","n":[{"]":"}"}]}';
const inEscapes = (text: string) => text.replace('"tools"', '"t\\u006fols"');

test.each<[what: string, given: string, passed: string]>([
  ['nothing is hidden', written(`[ ${echo} , ${sum} ]`), written(`[ ${echo} , ${sum} ]`)],
  ['an entry is hidden', written(`[${echo}, ${hidden},${sum}]`), written(`[${echo},${sum}]`)],
  ['every entry is hidden', written(`[ ${hidden} ,${hidden}]`), written('[]')],
  ['a list is empty', written('[ ]'), written('[ ]')],
  ['a name is in escapes', inEscapes(written(`[${hidden},${sum}]`)), inEscapes(written(`[${sum}]`))],
  [
    'it is in a batch',
    `[ ${written(`[${hidden}]`)},null, 1.0,[],${written(`[${echo}]`)}]`,
    `[ ${written('[]')},null, 1.0,[],${written(`[${echo}]`)}]`,
  ],
  ['it follows a byte order mark', `\ufeff${written(`[${hidden},${echo}]`)}`, `\ufeff${written(`[${echo}]`)}`],
  [
    'only the scope of a cache is changed',
    written('[]', '"cacheScope" : "public", '),
    written('[]', '"cacheScope" : "private", '),
  ],
  [
    'a result says how long it may be kept, and not by whom',
    written('[]', '"ttlMs" : 9.0, '),
    written('[]', '"cacheScope":"private","ttlMs" : 9.0, '),
  ],
  ['a cache is private', written('[]', '"cacheScope":"private", '), written('[]', '"cacheScope":"private", ')],
])('all else in an answer stays as it is written if %s', (_what, given, passed) => {
  expect(filterLists(given, ({ target }) => target !== 'delete')).toBe(passed);
});

test.each([
  ['application/json', (json: string) => json],
  ['text/event-stream', (json: string) => json.replace(/^.*$/gm, 'data: $&').concat('\n\n')],
])('a client with an id beyond 2^53 gets its list (%s)', async (type, format) => {
  const issuer = createTestIssuer();
  const app = express().use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' })));
  app.use(mcpAuthorization({ rules: [{ deny: 'mcp.tool.name == "delete"' }] }));
  app.use((_req, res) => void res.type(type).end(format(written(`[\n${hidden},\n${echo}\n]`))));
  const response = await fetch(await serve(app), {
    method: 'POST',
    headers: { authorization: `Bearer ${issuer.token()}`, 'content-type': 'application/json' },
    body: '{"jsonrpc":"2.0","id":9223372036854775807,"method":"tools/list"}',
  });
  expect(await response.text()).toBe(format(written(`[${echo}]`)));
});
