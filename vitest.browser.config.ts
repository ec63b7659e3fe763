import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: ['__tests__/support/require-short-titles.ts'],
    include: ['__tests__/browser/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    fileParallelism: false,
  },
});
