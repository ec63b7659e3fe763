import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Most of the time is spent waiting for processes and clocks, not computing.
    maxWorkers: 4,
  },
});
