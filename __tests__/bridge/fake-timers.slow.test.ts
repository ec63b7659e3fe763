import { expect, onTestFinished, test, vi } from 'vitest';
import { mcpBackend, mcpHttpBackend } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { initialize, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { fixture, NODE } from '../support/stdio-bridge.js';

// docs/testing.md tells users to fake all timers of Vitest, and setImmediate() is one of them.
test.each([
  ['mcpHttpBackend()', (url: string) => mcpHttpBackend({ url })],
  ['mcpBackend() with a remote server', (url: string) => mcpBackend({ targets: { one: { url } } })],
  [
    'mcpBackend() with a program',
    () => mcpBackend({ targets: { one: { command: NODE, args: [fixture('plain-target.mjs')] } } }),
  ],
])('%s serves while the timers of a test are fake', async (_name, create) => {
  const target = await startRecordingTarget();
  const backend = create(target.url);
  onTestFinished(() => backend.close());
  const url = await serve((req, res) => backend(req, res, (error) => res.destroy(error as Error)));
  // The first request loads packages.
  expect((await post(`${url}/mcp`, initialize())).status).toBe(200);
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const answer = await post(`${url}/mcp`, initialize());
  vi.useRealTimers();
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('protocolVersion');
});
