import { createServer } from 'node:http';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { reasonOf } from '../support/mcp-answers.js';
import { initialize, post } from '../support/mcp-requests.js';

afterEach(() => vi.unstubAllEnvs());

test('a proxy that never answers: 502 after connectTimeoutSeconds', async () => {
  const server = createServer().on('connect', (_req, socket) => socket.on('end', () => socket.end()));
  await listen(server);
  onTestFinished(() => stop(server));
  vi.stubEnv('HTTPS_PROXY', originOf(server));
  const remote = await serveRemote('https://mcp.internal/mcp', { connectTimeoutSeconds: 1 });
  const response = await post(remote.url, initialize(), remote.bearer('ada'), AbortSignal.timeout(15_000));
  expect([response.status, await reasonOf(response)]).toEqual([502, 'target_unreachable']);
});
