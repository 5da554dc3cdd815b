import { defineConfig } from 'vitest/config';

/** Two cores, and the servers under test share them. */
const WORKERS_MAX = 2;
/**
 * They kill servers of their own, or start whole platforms: many at a time would be too many. Two get
 * along: most of their time they wait for what they broke to come round.
 */
const HEAVY_WORKERS_MAX = 2;
const HEAVY = [
  'tests/faults/**/*.test.ts',
  'tests/e2e/**/*.test.ts',
  'tests/integration/local-servers/**/*.test.ts',
  'tests/chaos/**/*.test.ts',
];

/** Faults that take minutes: `npm run test:faults` has them all. */
const LONG = process.env['FAULTS'] === 'long' ? [] : ['tests/faults/long/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // MONGO_URL and REDIS_URL come from the environment: `npm test` sets them to servers of its own.
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['tests/**/*.test.ts'],
          exclude: HEAVY,
          maxWorkers: WORKERS_MAX,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'heavy',
          include: HEAVY,
          exclude: LONG,
          maxWorkers: HEAVY_WORKERS_MAX,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
