import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, JSON_HEADERS } from '../support/mcp-requests.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { startTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_048_576;
const CHUNK = Buffer.alloc(65_536, 'a');
/** Far less than the bytes that are sent, and far more than two sockets and two buffers can keep. */
const MAX_KEPT = 16 * MEGABYTE;

/** Writes as much as the reader accepts, up to `total` bytes. Returns a function that returns the number of bytes written so far. */
function pour(res: ServerResponse, total: number): () => number {
  let written = 0;
  const more = (): void => {
    while (written < total) {
      written += CHUNK.length;
      if (!res.write(CHUNK)) return void res.once('drain', more);
    }
    res.end();
  };
  more();
  return () => written;
}

/** Resolves to the bytes written when no more are written. Sockets take more in steps. */
async function restingPoint(written: () => number): Promise<number> {
  let last = -1;
  await until(async () => {
    const isStill = written() === last;
    last = written();
    await wait(300);
    return isStill;
  });
  return last;
}

/** Sends a request and leaves its answer unread. */
async function askAndWait(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const body = JSON.stringify(call(1, 'x'));
  const req = request(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers } });
  return new Promise((resolve, reject) => {
    req.on('response', resolve).on('error', reject).end(body);
  });
}

describe('back-pressure', () => {
  test.each(['text/event-stream', 'application/json'])(
    'a slow reader slows the target, not the heap: %s',
    async (type) => {
      let poured = () => 0;
      const target = await startTarget((req, res) => {
        req.resume();
        res.writeHead(200, { 'content-type': type });
        poured = pour(res, 200 * MEGABYTE);
      });
      const remote = await serveRemote(target.url);
      const before = await memoryInUse();
      const response = await askAndWait(remote.url, remote.bearer('ada'));
      let last = -1;
      await until(async () => {
        const now = poured();
        const isStill = now === last;
        last = now;
        await wait(200);
        return isStill;
      });
      expect(last).toBeLessThan(MAX_KEPT);
      expect((await memoryInUse()) - before).toBeLessThan(MAX_KEPT);
      let read = 0;
      for await (const chunk of response) read += (chunk as Buffer).length;
      expect(read).toBe(200 * MEGABYTE);
    },
  );

  test.each([
    ['of a known length', true],
    ['in chunks', false],
  ])('a slow target slows an upload %s, not the heap', async (_name, isKnown) => {
    let go = (): void => undefined;
    let received = 0;
    const target = await startTarget((req, res) => {
      go = () => {
        req.on('data', (chunk: Buffer) => {
          received += chunk.length;
        });
        req.resume();
      };
      req.pause();
      req.on('end', () => res.end(String(received)));
    });
    const total = 100 * MEGABYTE;
    const remote = await serveRemote(target.url, { maxBodyBytes: total });
    const before = await memoryInUse();
    const headers = { ...JSON_HEADERS, ...remote.bearer('ada'), ...(isKnown && { 'content-length': String(total) }) };
    const req = request(remote.url, { method: 'POST', headers });
    const answer = new Promise<IncomingMessage>(
      (resolve, reject) => void req.on('response', resolve).on('error', reject),
    );
    const poured = pour(req as never, total);
    expect(await restingPoint(poured)).toBeLessThan(MAX_KEPT);
    expect((await memoryInUse()) - before).toBeLessThan(MAX_KEPT);
    go();
    let text = '';
    for await (const chunk of await answer) text += String(chunk);
    expect(text).toBe(String(total));
  });

  test.each([
    ['of a known length', true],
    ['in chunks', false],
  ])('an upload %s over maxBodyBytes is refused with 413', async (_name, isKnown) => {
    let sawEnd = false;
    const target = await startTarget((req, res) => {
      req.resume().on('end', () => {
        sawEnd = true;
        res.end();
      });
    });
    const remote = await serveRemote(target.url, { maxBodyBytes: 100_000 });
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(CHUNK);
        controller.enqueue(CHUNK);
        controller.close();
      },
    });
    const response = await fetch(remote.url, {
      method: 'POST',
      headers: { ...JSON_HEADERS, ...remote.bearer('ada') },
      ...(isKnown ? { body: Buffer.concat([CHUNK, CHUNK]) } : ({ body, duplex: 'half' } as object)),
    });
    expect(response.status).toBe(413);
    expect(await reasonOf(response)).toBe('body_too_large');
    expect(sawEnd).toBe(false);
    expect(remote.errors).toEqual([]);
  });
});
