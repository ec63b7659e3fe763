import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { JSON_HEADERS } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

test('mcpHttpBackend() does not send again for a client that has left', async () => {
  const target = await startRecordingTarget((_arrived, res) => res.writeHead(503).end());
  const remote = await serveRemote(target.url, { retry: { attempts: 9, backoffMs: 1_000, codes: [503] } });
  const leaving = new AbortController();
  const headers = { ...JSON_HEADERS, ...remote.bearer('a') };
  const answer = fetch(remote.url, {
    method: 'POST',
    headers,
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    signal: leaving.signal,
  });
  await until(() => target.arrived.length === 1);
  leaving.abort();
  await expect(answer).rejects.toThrow();
  await wait(1_300);
  expect(target.arrived).toHaveLength(1);
});
