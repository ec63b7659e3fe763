import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/browser/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
