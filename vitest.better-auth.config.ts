import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/better-auth/**/*.better-auth.ts'],
    testTimeout: 60_000,
    setupFiles: ['__tests__/support/require-short-titles.ts'],
  },
});
