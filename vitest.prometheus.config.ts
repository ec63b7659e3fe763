import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: ['__tests__/support/require-short-titles.ts'],
    include: ['__tests__/prometheus/*.prometheus.ts'],
    testTimeout: 60_000,
    fileParallelism: false,
  },
});
