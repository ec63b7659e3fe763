import { expect, test } from 'vitest';
import { initialize, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serve } from '../support/stdio-bridge.js';

const never = () => new Promise<Record<string, string>>(() => undefined);

test('an env() that never settles: the session gets 503 after 10 seconds, and the log says so', async () => {
  const { lines, logger } = createRecordingLogger();
  const { url, backend, stop } = await serve({ env: never, logger });
  const response = await post(url, initialize());
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { error: { data: { reason: 'environment_failed' } } },
  ]);
  expect(lines.filter((line) => line.startsWith('error '))).toEqual([
    expect.stringMatching(/\(environment_failed\): Error: env\(\) did not settle within 10 seconds$/),
  ]);
  expect(backend.stats()).toMatchObject({ sessions: 0, children: 0 });
  await stop();
});

test('a start timeout that is shorter ends the session first, and the log names env()', async () => {
  const { lines, logger } = createRecordingLogger();
  const { url, stop } = await serve({ env: never, startTimeoutSeconds: 1, logger });
  const response = await post(url, initialize());
  expect([response.status, await response.json()]).toMatchObject([
    504,
    { error: { data: { reason: 'start_timed_out' } } },
  ]);
  expect(lines.filter((line) => line.startsWith('error '))).toEqual([
    expect.stringMatching(/did not start within 1 s \(startTimeoutSeconds\): env\(\) has not answered$/),
  ]);
  await stop();
});
