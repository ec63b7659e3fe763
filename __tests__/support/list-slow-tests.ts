import type { Reporter, TestModule } from 'vitest/node';

const MAX_FAST_MS = 1_000;
const MAX_LINES = 20;

/** A reporter that lists the tests of the project `fast` that took over a second. It does not fail the run, since machines differ. */
export const listSlowTests: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const slow = modules
      .filter(({ project }) => project.name === 'fast')
      .flatMap((module) => [...module.children.allTests()])
      .map((test) => ({ test, ms: Math.round(test.diagnostic()?.duration ?? 0) }))
      .filter(({ ms }) => ms > MAX_FAST_MS)
      .toSorted((one, other) => other.ms - one.ms);
    if (slow.length === 0) return;
    console.log(
      `\nTests of the project "fast" that took over ${MAX_FAST_MS} ms (on an idle machine: move them to a *.slow.test.ts file):`,
    );
    for (const { test, ms } of slow.slice(0, MAX_LINES))
      console.log(`${ms} ms  ${test.module.relativeModuleId}: ${test.fullName}`);
    if (slow.length > MAX_LINES) console.log(`and ${slow.length - MAX_LINES} more: was the machine busy?`);
  },
};
