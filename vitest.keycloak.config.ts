import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: '__tests__/keycloak/keycloak-server.ts',
    setupFiles: ['__tests__/support/require-short-titles.ts'],
    include: ['__tests__/keycloak/*.keycloak.ts'],
    testTimeout: 60_000,
    hookTimeout: 240_000,
    fileParallelism: false,
  },
});
