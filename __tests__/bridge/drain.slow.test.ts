import { expect, onTestFinished, test } from 'vitest';
import { eventsOf } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

test.each([
  ['2025-11-25', 'five seconds for a client that does not come back', 4_000, 10_000],
  ['2025-06-18', 'not at all for a client that knows no event to resume from', 0, 3_000],
])('drain() waits (%s) %s', async (revision, _title, least, most) => {
  const { url, backend, stop } = await serve();
  onTestFinished(stop);
  const session = await open(url, {}, revision);
  const hangUp = new AbortController();
  const headers = { ...session, accept: 'text/event-stream' };
  const message = call(1, 'progress', { steps: 1, delay: 2_000 }, { progressToken: 1 });
  const events = eventsOf(await post(url, message, headers, hangUp.signal));
  if (revision === '2025-11-25') await events.next();
  hangUp.abort();
  await events.return(undefined).catch(() => undefined);
  await until(() => backend.stats().pending === 0);
  const before = performance.now();
  await backend.drain(60);
  const waited = performance.now() - before;
  expect([waited >= least, waited < most]).toEqual([true, true]);
});
