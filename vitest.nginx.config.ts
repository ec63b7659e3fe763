import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: ['__tests__/support/require-short-titles.ts'],
    include: ['__tests__/nginx/*.nginx.ts'],
    testTimeout: 30_000,
    fileParallelism: false,
  },
});
