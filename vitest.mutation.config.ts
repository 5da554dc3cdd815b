import { defineConfig } from 'vitest/config';

/** What mutation testing runs: the unit tests of core, without those that read the tree. */
export default defineConfig({
  test: {
    include: ['tests/unit/core/**/*.test.ts'],
    exclude: ['tests/unit/core/telemetry/**'],
    testTimeout: 30_000,
  },
});
