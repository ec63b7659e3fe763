import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Many tests wait for processes and tokens to end, so more files than cores make them quicker.
    maxWorkers: 4,
  },
});
