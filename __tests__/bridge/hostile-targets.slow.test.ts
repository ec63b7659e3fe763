import { expect, test } from 'vitest';
import { postStateless, statelessCall, statelessRequest } from '../support/mcp-requests.js';
import { ADA } from '../support/recorded-calls.js';
import { serveTargets } from '../support/several-backend.js';
import { type Results, startHostileTarget, startSmallHeap } from '../support/small-heap.js';

const OK: Results = { 'tools/list': () => '{"tools":[{"name":"ok","inputSchema":{}}]}' };

/** Characters of text, one page of a list in the tests. */
const MB = 1_000_000;

/** A tool whose schema marks many parameters, 60 levels deep. */
function deepTool(name: string): string {
  const marks = Array.from({ length: MB / 32 }, (_, index) => `"a${index}":{"x-mcp-header":"h"}`);
  const deep = Array.from({ length: 60 }).reduce(
    (schema: string) => `{"properties":{"p":${schema}}}`,
    `{"properties":{${marks.join()}}}`,
  );
  return `{"name":"${name}","inputSchema":${deep}}`;
}

/** Returns a result with a list of one entry and another page after it, without end. */
function endless(entry: (page: number) => string): string {
  pages += 1;
  return `{"tools":[${entry(pages)}],"nextCursor":"${pages}"}`;
}
let pages = 0;

test('a tool whose schema marks very many parameters does not fill the memory', async () => {
  const evil = await startHostileTarget({ 'tools/list': () => endless((page) => deepTool(`t${page}`)) });
  const { url, program } = await startSmallHeap(128, { targets: { evil: { url: evil.url } } });
  expect((await postStateless(url, statelessCall(1, 't1'))).status, program.stderr).toBe(200);
  expect(evil.asked.filter((method) => method === 'tools/list')).toHaveLength(1);
});

test('headers are checked against a list of tools only up to 8 MiB', async () => {
  const evil = await startHostileTarget({
    'tools/list': () => endless((page) => `{"name":"t${page}","description":"${'x'.repeat(2 * MB)}","inputSchema":{}}`),
  });
  const { url } = await serveTargets({ targets: { evil: { url: evil.url } } });
  expect((await postStateless(url, statelessCall(1, 't1'), ADA)).status).toBe(200);
  expect(evil.asked.filter((method) => method === 'tools/list')).toHaveLength(5);
});

test('names of several megabytes are not remembered', async () => {
  const evil = await startHostileTarget({
    'tools/list': ({ cursor }) =>
      cursor === undefined
        ? endless((page) => [1, 2, 3].map((n) => `{"name":"${page}-${n}-${'x'.repeat(4 * MB)}"}`).join())
        : '{"tools":[]}',
  });
  const good = await startHostileTarget(OK);
  const { url, program } = await startSmallHeap(64, {
    targets: { evil: { url: evil.url }, good: { url: good.url } },
    prefixMode: 'never',
    failureMode: 'failOpen',
  });
  for (let round = 0; round < 6; round++) {
    const response = await postStateless(url, statelessRequest(round, 'tools/list'));
    expect(await response.text(), program.stderr).toContain('"name":"ok"');
  }
});

test.each([
  ['entries', () => `{"tools":[${'{"name":"a"},'.repeat(50_001)}{}]}`],
  ['members in entries', () => `{"tools":[{"name":"a"${',"":0'.repeat(500_001)}}]}`],
  ['members in _meta', () => `{"tools":[{"name":"a","_meta":{"":0${',"":0'.repeat(500_001)}}}]}`],
])('a list with very many %s is refused', async (_what, list) => {
  const evil = await startHostileTarget({ 'tools/list': list });
  const good = await startHostileTarget(OK);
  const { url } = await serveTargets({ targets: { evil: { url: evil.url }, good: { url: good.url } } });
  const response = await postStateless(url, statelessRequest(1, 'tools/list'), ADA);
  expect(await response.json()).toMatchObject({ error: { data: { target: 'evil', reason: 'too_many_items' } } });
});

test('the pages of a list that is read as a whole have a limit together', async () => {
  const evil = await startHostileTarget({
    'tools/list': () => endless((page) => `{"name":"t${page}","description":"${'x'.repeat(4 * MB)}"}`),
  });
  const good = await startHostileTarget(OK);
  const targets = { evil: { url: evil.url }, good: { url: good.url } };
  const { url } = await serveTargets({ targets, prefixMode: 'never', failureMode: 'failOpen' });
  const response = await postStateless(url, statelessRequest(1, 'tools/list'), ADA);
  expect(await response.json()).toMatchObject({ result: { tools: [{ name: 'ok' }] } });
  expect(evil.asked.filter((method) => method === 'tools/list')).toHaveLength(5);
});

test('of the revisions that a server says it speaks, only names are repeated to clients', async () => {
  const discovered = { supportedVersions: ['2026-07-28', 7, { x: 'x' }, 'x'.repeat(65)], capabilities: {} };
  const evil = await startHostileTarget({ 'server/discover': () => JSON.stringify(discovered) });
  const { url } = await serveTargets({ targets: { evil: { url: evil.url } } });
  const message = statelessRequest(1, 'tools/list', {}, { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' });
  const response = await postStateless(url, message, { ...ADA, 'mcp-protocol-version': '2099-01-01' });
  expect(await response.json()).toMatchObject({ error: { data: { supported: ['2026-07-28'] } } });
});
