import { expect, test } from 'vitest';
import { LaterAttempts } from '../../src/targets/several/later-attempts.js';
import type { NamedTarget } from '../../src/targets/several/named-target.js';

test('an attempt that fails at once is followed by another, though timers end a little early', async () => {
  // Only the identity of a target counts here. Of many timers, some end before the clock says so.
  const targets = Array.from({ length: 100 }, (_, n) => ({ name: `${n}` }) as unknown as NamedTarget);
  const attempts = new Map<NamedTarget, number>();
  const later = new LaterAttempts((target) => {
    attempts.set(target, (attempts.get(target) ?? 0) + 1);
    later.plan(target);
  });
  for (const target of targets) later.plan(target);
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  later.stop();
  expect([...attempts.values()]).toEqual(targets.map(() => 2));
});
