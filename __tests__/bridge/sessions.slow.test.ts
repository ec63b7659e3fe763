import { expect, test } from 'vitest';
import { call, callText, initialize, open, post } from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { EVERYTHING, NODE, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

test('leaves nothing running after close(), and answers what was in flight', async () => {
  const { url, backend, stop } = await serve({ args: [EVERYTHING] });
  const scripted = await serve({ command: NODE });
  await open(url);
  const session = await open(scripted.url);
  const pids = [
    Number(await callText(scripted.url, session, 'pid')),
    Number(await callText(scripted.url, session, 'grandchild')),
  ];
  const hanging = post(scripted.url, call(1, 'hang'), session);
  await until(() => scripted.backend.stats().pending === 1);
  await Promise.all([scripted.backend.close(), backend.close()]);
  expect(await (await hanging).json()).toMatchObject({ id: 1, error: { data: { reason: 'closing' } } });
  expect(backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
  await until(() => !pids.some(isRunning));
  expect((await post(scripted.url, initialize())).status).toBe(503);
  await Promise.all([stop(), scripted.stop()]);
});
