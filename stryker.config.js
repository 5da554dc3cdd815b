/**
 * `npm run mutation`: small changes of the code that decides about money, each of which some unit test
 * must notice. Only what is pure is mutated: what talks to a server is covered by planted bugs
 * (tests/planted) and by the fault programme.
 */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  ignoreStatic: true,
  plugins: ['@stryker-mutator/vitest-runner', './scripts/mutation/ignore-texts.js'],
  ignorers: ['texts'],
  incremental: true,
  incrementalFile: '.data/mutation/incremental.json',
  tempDirName: '.data/mutation/sandbox',
  cleanTempDir: 'always',
  dryRunTimeoutMinutes: 10,
  reporters: ['clear-text', 'progress-append-only', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: '.data/mutation/report.json' },
  htmlReporter: { fileName: '.data/mutation/report.html' },
  thresholds: { high: 95, low: 85, break: 85 },
  mutate: [
    'core/kernel/{money,canonical}.ts',
    'core/ledger/{book,wallet}.ts',
    'core/ledger/verify/verify.ts',
    'core/saga/machine.ts',
    'core/operations/{status,touches,step-record}.ts',
    'core/settlement/{decide,decide-or-defer,lane-selection}.ts',
    'core/ingest/{group-commit,parse-submission,request-identity,replay,idempotency-key}.ts',
    'core/operation-types/{ledger-rules,rules}.ts',
  ],
  ignorePatterns: ['/.data', '/deploy', '/dist', '/bench/results'],
};
