import { defineConfig } from 'vitest/config';
import { listSlowTests } from './__tests__/support/list-slow-tests.js';

// `npm test` runs the fast tests first. A test that takes more than a second stands in a `*.slow.test.ts` file.
const SLOW = '__tests__/**/*.slow.test.ts';

export default defineConfig({
  test: {
    // A test that waits fails by itself, with a reason: these are for a machine that is busy with other work.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    setupFiles: ['__tests__/support/require-short-titles.ts'],
    // Many tests wait for processes and tokens to end, so more files than cores make them quicker.
    maxWorkers: 4,
    slowTestThreshold: 1_000,
    reporters: ['default', listSlowTests],
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['__tests__/**/*.test.ts'],
          exclude: [SLOW, '**/node_modules/**'],
          sequence: { groupOrder: 0 },
          // One copy of the modules for many files takes a third of the time: a test leaves clocks and globals as they were.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: [SLOW], testTimeout: 60_000, hookTimeout: 60_000, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
