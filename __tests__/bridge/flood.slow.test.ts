import { describe, expect, test } from 'vitest';
import { open } from '../support/mcp-requests.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { fixture, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

describe('nothing is left behind', () => {
  test('by 500 clients that vanish: heap and children return to where they were', async () => {
    const options = { command: 'sh', args: [fixture('tiny-server.sh')], idleTimeoutSeconds: 1, maxSessions: 600 };
    const { url, backend, stop } = await serve(options);
    const drop = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 20) await Promise.all(Array.from({ length: 20 }, () => open(url)));
      await until(() => backend.stats().sessions === 0 && backend.stats().children === 0, 30_000);
    };
    await drop(40);
    const before = await memoryInUse();
    await drop(500);
    expect(backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
    expect((await memoryInUse()) - before).toBeLessThan(3_000_000);
    await stop();
  }, 60_000);
});
