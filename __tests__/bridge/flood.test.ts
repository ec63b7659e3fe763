import { describe, expect, test } from 'vitest';
import { heldMemory } from '../support/held-memory.js';
import { fixture, open, serve, until } from '../support/stdio-app.js';

describe('nothing is left behind', () => {
  test('by 500 clients that vanish: heap and children return to where they were', async () => {
    const options = { command: 'sh', args: [fixture('tiny-server.sh')], idleTimeoutSeconds: 1, maxSessions: 600 };
    const { url, backend, stop } = await serve(options);
    const drop = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 20) await Promise.all(Array.from({ length: 20 }, () => open(url)));
      await until(() => backend.stats().sessions === 0 && backend.stats().children === 0, 30_000);
    };
    await drop(40);
    const before = await heldMemory();
    await drop(500);
    expect(backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
    expect((await heldMemory()) - before).toBeLessThan(3_000_000);
    await stop();
  }, 60_000);
});
