import { expect, onTestFinished, test } from 'vitest';
import { call, open, post } from '../support/mcp-requests.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { serve } from '../support/stdio-bridge.js';

test('a stream that has ended keeps its events in memory, and not the arguments of its call', async () => {
  const { url, stop } = await serve({
    onCall: () => undefined,
    // The arguments are then read from the message.
    recordContent: ({ params }) => ({ members: Object.keys(params).length }),
  });
  onTestFinished(stop);
  const session = await open(url, { authorization: 'Bearer ada' }, '2025-11-25');
  const callWith = async (id: number, items: readonly string[]) => {
    const message = call(id, 'progress', { steps: 1, items }, { progressToken: id });
    await (await post(url, message, session)).text();
  };
  await callWith(1, []);
  const before = await memoryInUse();
  const items = Array.from({ length: 20_000 }, (_, index) => `item number ${index}`);
  for (let id = 2; id < 32; id++) await callWith(id, items);
  expect(((await memoryInUse()) - before) / 1_000_000, 'megabytes').toBeLessThan(6);
});
