import { EventEmitter, once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpHttpBackend } from '../../src/index.js';
import { startLearningNames } from '../../src/telemetry/listed-names.js';
import { serve } from '../support/loopback-server.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { type Answer, serveObserved, toolCall } from '../support/observed-app.js';

const MIB = 1_048_576;
const PIECES = 100;

/** Answers with a result of 100 MiB, as fast as it is read. */
const longAnswer =
  (type: string, before: string, after: string): Answer =>
  async (_req, res) => {
    res.writeHead(200, { 'content-type': type }).write(before);
    const piece = Buffer.alloc(MIB, 'x');
    for (let i = 0; i < PIECES; i++) if (!res.write(piece)) await once(res, 'drain');
    res.end(after);
  };

const MEMBERS = ['"result":{"content":[{"text":"', '"}],"isError":true},"id":1}'] as const;
const ANSWERS: Readonly<Record<string, Answer>> = {
  JSON: longAnswer('application/json', `{${MEMBERS[0]}`, MEMBERS[1]),
  events: longAnswer('text/event-stream', `data: {${MEMBERS[0]}`, `${MEMBERS[1]}\n\n`),
};

const PLACES: Readonly<Record<string, (answer: Answer) => Promise<Answer>>> = {
  'a server in the same app': async (answer) => answer,
  'a remote server': async (answer) => {
    const backend = mcpHttpBackend({
      url: await serve((req, res) => void req.resume().on('end', () => answer(req, res))),
    });
    onTestFinished(() => backend.close());
    return (req, res) => backend(req, res, () => res.destroy());
  },
};

describe.each(Object.entries(ANSWERS))('an answer of 100 MiB, as %s', (_type, answer) => {
  test.each(Object.entries(PLACES))('is recorded, but not kept: %s', async (_place, create) => {
    const results: unknown[] = [];
    const { post, recorded } = await serveObserved(await create(answer), {
      options: { recordContent: ({ result }) => void results.push(result) },
    });
    const before = await memoryInUse();
    const response = await post(toolCall());
    let [size, most] = [0, 0];
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (Math.floor((size + chunk.length) / (20 * MIB)) > Math.floor(size / (20 * MIB)))
        most = Math.max(most, await memoryInUse());
      size += chunk.length;
    }
    expect(size).toBeGreaterThan(PIECES * MIB);
    expect(most - before).toBeLessThan(20 * MIB);
    expect(await recorded(1)).toMatchObject([
      { outcome: 'tool_error', bytesOut: expect.toSatisfy((n) => n > PIECES * MIB) },
    ]);
    expect(results).toEqual([undefined]);
  });
});

test('a list in a million lines of events takes no more memory than its bytes', async () => {
  startLearningNames();
  const progress = new EventEmitter();
  const sent = once(progress, 'sent');
  const { post, recorded } = await serveObserved(async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data:{"id":1,\n');
    const lines = Buffer.from('data:\n'.repeat(10_000));
    for (let i = 0; i < 90; i++) if (!res.write(lines)) await once(res, 'drain');
    progress.emit('sent');
    await once(progress, 'measured');
    res.end('data:"result":{"tools":[]}}\n\n');
  });
  const before = await memoryInUse();
  const response = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const read = response.text();
  await sent;
  expect((await memoryInUse()) - before).toBeLessThan(40 * MIB);
  progress.emit('measured');
  await read;
  expect(await recorded(1)).toMatchObject([{ outcome: 'answered' }]);
});
