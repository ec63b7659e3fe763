import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: '__tests__/remote/install.ts',
    setupFiles: ['__tests__/support/require-short-titles.ts'],
    include: ['__tests__/remote/*.remote.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
