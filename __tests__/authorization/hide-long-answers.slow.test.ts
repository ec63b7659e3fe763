import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EventRewriter } from '../../src/authorization/event-rewriter.js';
import { mcpScopes } from '../../src/index.js';
import { serveRemote } from '../support/http-backend.js';
import { post } from '../support/mcp-requests.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { startTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_048_576;
const CHUNK = Buffer.alloc(65_536, 'a');
/** 16 MiB, and what two sockets and two buffers can keep. */
const MAX_TAKEN = 32 * MEGABYTE;
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const LOGGED =
  "error mcpScopes(): unreadable_answer: hide is on and the MCP server's answer cannot be read: it is longer than 16 MiB";

/** A remote server whose answers pass a filter of lists. `write` begins its answer. */
async function startHidden(type: string, write: (res: ServerResponse) => void) {
  const { lines, logger } = createRecordingLogger();
  const before = [mcpScopes({ 'tools/call': { delete: ['write'] } }, { hide: true, logger })];
  const target = await startTarget((req, res) => {
    req.resume();
    write(res.writeHead(200, { 'content-type': type }));
  });
  const remote = await serveRemote(target.url, {}, { before });
  return { lines, ask: () => post(remote.url, LIST, remote.bearer('ada')) };
}

/** Writes as much as the reader accepts, up to `total` bytes, and then `end`. Returns a function that returns the bytes so far. */
function pour(res: ServerResponse, chunk: Buffer, total = Number.POSITIVE_INFINITY, end = ''): () => number {
  let written = 0;
  const more = (): void => {
    while (written < total && !res.destroyed) {
      written += chunk.length;
      if (!res.write(chunk)) return void res.once('drain', more);
    }
    if (!res.destroyed) res.end(end);
  };
  more();
  return () => written;
}

test('an endless answer in JSON is replaced by an error, and the connection to its server is closed', async () => {
  let poured = () => 0;
  let isClosed = false;
  const { ask, lines } = await startHidden('application/json', (res) => {
    res.once('close', () => {
      isClosed = true;
    });
    res.write('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"');
    poured = pour(res, CHUNK);
  });
  const response = await ask();
  const { id, error } = (await response.json()) as { id: number; error: { data: unknown } };
  expect([response.status, id, error.data]).toEqual([502, 1, { reason: 'unreadable_answer' }]);
  await until(() => isClosed);
  expect(poured()).toBeLessThan(MAX_TAKEN);
  expect(lines).toEqual([LOGGED]);
});

test('an event without an end is replaced by an error, and the events after it are passed on', async () => {
  const { ask, lines } = await startHidden('text/event-stream', (res) => {
    res.write('data: 1\n\ndata: ');
    pour(res, CHUNK, 100 * MEGABYTE, '\n\ndata: 2\n\n');
  });
  const text = await (await ask()).text();
  expect(text).toMatch(/^data: 1\n\ndata: \{"jsonrpc":"2.0","id":1,"error":.*"unreadable_answer".*\}\n\ndata: 2\n\n$/);
  expect(lines).toEqual([LOGGED]);
});

test('a client that does not read slows the server of an event stream', async () => {
  let poured = () => 0;
  const event = Buffer.from(`data: ${CHUNK.toString()}\n\n`);
  const total = 100 * MEGABYTE;
  const { ask } = await startHidden('text/event-stream', (res) => {
    poured = pour(res, event, total);
  });
  const response = await ask();
  let last = -1;
  await until(async () => {
    const isStill = poured() === last;
    last = poured();
    await wait(300);
    return isStill;
  });
  expect(last).toBeLessThan(MAX_TAKEN);
  expect((await response.text()).length).toBeGreaterThanOrEqual(total);
});

test('an event in a million tiny pieces takes no more memory than its text', async () => {
  const rewriter = new EventRewriter(
    (data) => data,
    () => 'too long',
  );
  const before = await memoryInUse();
  for (let i = 0; i < 1_000_000; i += 1) rewriter.push(Buffer.from('xy'));
  expect((await memoryInUse()) - before).toBeLessThan(8_000_000);
  expect(rewriter.rest()).toHaveLength(2_000_000);
});
