import { expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, post } from '../support/mcp-requests.js';
import { createRecordedCalls } from '../support/recorded-calls.js';
import { startTarget } from '../support/recording-target.js';

test('a call that a remote server does not answer in time has timed out', async () => {
  const { records, onCall } = createRecordedCalls();
  const target = await startTarget(() => undefined);
  const remote = await serveRemote(target.url, { onCall, responseTimeoutSeconds: 1 });
  await (await post(remote.url, call(1, 'echo'), remote.bearer('ada'))).text();
  expect(records).toMatchObject([{ outcome: 'timed_out', code: 'target_timed_out' }]);
  expect(records[0]?.durationMs).toBeGreaterThan(900);
});
