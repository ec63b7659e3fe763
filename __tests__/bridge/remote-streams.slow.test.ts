import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { open, post } from '../support/mcp-requests.js';
import { beginEvents, replyJson, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

/** Opens a session whose event stream the server answers so. */
async function openStream(answer: (res: ServerResponse, opened: number) => void): Promise<void> {
  let opened = 0;
  const target = await startSessionTarget(
    ({ id }, res) => replyJson(res, id, {}),
    (res) => answer(res, ++opened),
  );
  const { url } = await serveTarget(target.url);
  const session = await open(url, { authorization: 'Bearer ada' });
  await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
}

test('the quiet event stream of a session is opened again after the same pause, however often it has ended', async () => {
  const pauses: number[] = [];
  let endedAt = Number.NaN;
  await openStream((res, opened) => {
    if (opened > 1) pauses.push(performance.now() - endedAt);
    beginEvents(res, ': quiet\n\n');
    setTimeout(() => {
      endedAt = performance.now();
      res.end();
    }, 2_200);
  });
  await until(() => pauses.length === 2, 15_000);
  // A pause that grows has 2 seconds after the second stream.
  for (const pause of pauses) expect(pause).toBeLessThan(1_800);
});

test('an event stream that ends at once is opened at most once a second after a few times, though each has a new id', async () => {
  let count = 0;
  await openStream((res, opened) => {
    count = opened;
    beginEvents(res, `id: ${opened}\nretry: 0\ndata:\n\n`).end();
  });
  await until(() => count >= 6);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(count).toBeLessThanOrEqual(8);
});
