import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';

test('a target that comes back gets one megabyte of subscriptions again, without those that have ended', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  const subscribe = (name: string) =>
    client.request('resources/subscribe', { uri: `b+note:///${name}`, _meta: { padding: 'x'.repeat(400_000) } });
  for (const name of ['ended', 'first', 'over']) await subscribe(name);
  await client.request('resources/unsubscribe', { uri: 'b+note:///ended' });
  await subscribe('last');
  process.kill(Number(await client.text('b_pid')), 'SIGKILL');
  // A target that lives for less than a second is not opened again at once.
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  const received = JSON.parse(await client.text('b_received')) as { subscribe?: string }[];
  expect(received.flatMap(({ subscribe }) => subscribe ?? [])).toEqual(['note:///first', 'note:///last']);
});
