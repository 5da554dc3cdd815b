import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { functionLines } from './scripts/lint/function-lines.js';

/**
 * What the types cannot say, as errors. The promise rules hold everywhere, tests and scripts
 * included: in a payment system a floating promise is lost work.
 */

/** Places where some of the bans below do not hold. Later places win where two overlap. */
const PLACES = {
  tools: ['scripts/**', 'cli/**', 'bench/**', 'examples/**', 'deploy/**', '*.{js,cjs,mjs,ts}'],
  tests: ['tests/**'],
  support: ['tests/support/**', 'tests/**/fixtures/**', 'tests/chaos/**/!(*.test).ts'],
  main: ['api/main.ts', 'workers/main.ts', 'config/env.ts'],
  clock: ['core/kernel/clock.ts', 'client/src/clock.ts'],
  front: ['client/src/index.ts'], // a package has one door
  root: ['runtime/platform.ts'], // where the real sources are handed out
  ledger: ['core/{ledger,wallets,holds}/**'],
  config: ['*.config.{js,ts}', 'console/*.config.ts'],
  console: ['console/src/**'], // a browser's page: its clock and timers are the browser's
  planted: ['tests/planted/**'],
};
const ELSEWHERE = ['tools', 'tests', 'support', 'config'];
const CLOCKS = ['clock', 'tools', 'tests', 'support', 'config', 'console'];

const TEXT_SEARCH = '[callee.property.name=/^(includes|startsWith|endsWith|match|indexOf)$/]';
const EMPTY_HANDLER = 'ArrowFunctionExpression > BlockStatement[body.length=0]';

/** Banned syntax, what to write instead, and the homes where it is allowed. */
const BANS = [
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'Pass the parsed environment (config/env.ts) down from main.ts.',
    homes: ['main', ...ELSEWHERE],
  },
  {
    selector: "CallExpression[callee.object.name='process'][callee.property.name='exit']",
    message: 'Stop through the lifecycle, so that what was opened is released.',
    homes: ['main', ...ELSEWHERE],
  },
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Use clock.now() (core/kernel/clock.ts).',
    homes: CLOCKS,
  },
  {
    selector: ":matches(NewExpression, CallExpression)[callee.name='Date'][arguments.length=0]",
    message: 'Use new Date(clock.now()).',
    homes: CLOCKS,
  },
  {
    selector: "MemberExpression[object.name='performance'][property.name='now']",
    message: 'Use clock.monotonicMs().',
    homes: CLOCKS,
  },
  {
    selector: "MemberExpression[object.name='process'][property.name=/^(hrtime|uptime)$/]",
    message: 'Use clock.monotonicMs().',
    homes: CLOCKS,
  },
  {
    selector: 'CallExpression[callee.name=/^set(Timeout|Interval)$/]',
    message: 'Use clock.sleep(), startTicker() or withTimeout(); tests wait for a condition.',
    homes: ['clock', 'tools', 'support', 'console'],
  },
  {
    selector: 'ImportDeclaration[source.value=/^(node:)?timers/]',
    message: 'Use clock.sleep(); tests wait for a condition.',
    homes: ['clock', 'tools', 'support'],
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Take a random source as a dependency; tests seed it and print the seed.',
    homes: ['clock', 'root', 'tools', 'support'],
  },
  {
    selector: ":matches(Identifier[name='parseFloat'], Identifier[name='toFixed'])",
    message: 'Floats do not count money: use core/kernel/money.ts, or Number() for a plain number.',
    homes: ELSEWHERE,
  },
  {
    selector: "AssignmentExpression MemberExpression[object.name='BigInt']",
    message: 'Do not patch BigInt: money.ts turns amounts into strings.',
    homes: [],
  },
  {
    selector: `CallExpression[callee.object.property.name='message']${TEXT_SEARCH}`,
    message: 'Never branch on the text of an error: look at its code or class.',
    homes: ELSEWHERE,
  },
  {
    selector: 'TSAsExpression > TSAsExpression > TSUnknownKeyword',
    message: 'A double cast hides a wrong type: parse it, or fix the type.',
    homes: ELSEWHERE,
  },
  {
    selector: `CallExpression[callee.property.name='catch'] > ${EMPTY_HANDLER}`,
    message: 'Never swallow: handle it, or write `() => undefined` with the reason beside it.',
    homes: [],
  },
  {
    selector: "CallExpression[callee.property.name='every']",
    message: 'True of an empty list: say allOf (at least one) or noneFails (core/kernel/every.ts).',
    homes: ['tools', 'planted'],
  },
  {
    selector: 'ExportDefaultDeclaration',
    message: 'Named exports only.',
    homes: ['config'],
  },
  {
    selector: ':matches(ExportAllDeclaration, ExportNamedDeclaration[source])',
    message: 'No barrels: import from the file that declares it.',
    homes: ['front', ...ELSEWHERE],
  },
  {
    selector: 'ImportDeclaration[source.value=/^\\.{1,2}.+\\.js$/]',
    message: 'Write the .ts suffix; the build rewrites it.',
    homes: ['config'],
  },
];

/** In the ledger and its neighbours amounts are bigint, and nothing else may pass for one. */
const LEDGER_BANS = [
  {
    selector: ":matches(CallExpression, NewExpression)[callee.name='Number']",
    message: 'Amounts stay bigint; only core/kernel/money.ts converts.',
  },
  { selector: "UnaryExpression[operator='+']", message: 'Amounts stay bigint.' },
  {
    selector: "BinaryExpression[operator='/']",
    message: 'Divide with allocate() (core/kernel/money.ts), which conserves the sum.',
  },
];

const withoutHomes = ({ selector, message }) => ({ selector, message });

function bansIn(place) {
  const bans = BANS.filter(({ homes }) => !homes.includes(place)).map(withoutHomes);
  return ['error', ...bans, ...(place === 'ledger' ? LEDGER_BANS : [])];
}

const placeBlocks = Object.entries(PLACES).map(([place, files]) => ({
  name: `sluice/bans-${place}`,
  files,
  rules: { 'no-restricted-syntax': bansIn(place) },
}));

const STRICTER = {
  'no-restricted-syntax': bansIn('source'),
  'no-console': 'error',
  'no-eval': 'error',
  'no-implied-eval': 'off', // the typed twin is on
  'no-self-compare': 'error',
  'no-template-curly-in-string': 'error',
  'no-unreachable-loop': 'error',
  'no-param-reassign': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  curly: ['error', 'multi-line'],
  eqeqeq: 'error',
  // Lines of code; the tidy test holds the hard ceilings in lines of text.
  'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
  'sluice/function-lines': ['error', { max: 60, factoryMax: 150 }],
  'max-params': 'off',
  '@typescript-eslint/max-params': ['error', { max: 3 }],
  // A switch over a union is a table: one decision, however many rows.
  complexity: ['error', { max: 10, variant: 'modified' }],
};

const TYPED = {
  // `void promise` would be a way to float it with a straight face.
  '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/return-await': ['error', 'in-try-catch'],
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/prefer-promise-reject-errors': 'error',
  '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { requireDefaultForNonUnion: true, considerDefaultExhaustiveForUnions: false },
  ],
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/consistent-type-exports': 'error',
  // `if (amountMinor)` treats nothing and zero alike.
  '@typescript-eslint/strict-boolean-expressions': [
    'error',
    { allowNumber: false, allowNullableBoolean: true, allowNullableString: true },
  ],
  '@typescript-eslint/require-array-sort-compare': 'error',
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
  ],
  '@typescript-eslint/restrict-template-expressions': [
    'error',
    { allowNumber: true, allowBoolean: true },
  ],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  // It takes `signal.aborted`, once false, to stay false across an await, and its advice is to
  // delete the very check that a fenced worker needs.
  '@typescript-eslint/no-unnecessary-condition': 'off',
  // `async` without `await` turns a throw into a rejection, which is what a port promises.
  '@typescript-eslint/require-await': 'off',
};

/** Nothing runs on it: a longer decision or list of arguments costs its reader only. */
const AT_THE_EDGE = {
  'no-console': 'off',
  complexity: ['error', { max: 15, variant: 'modified' }],
  '@typescript-eslint/max-params': ['error', { max: 4 }],
};

/** Tests look into replies of any shape and hand over fakes; they still await everything. */
const IN_TESTS = {
  ...AT_THE_EDGE,
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  'sluice/function-lines': 'off', // describe() is a function; the tidy test looks inside it
  '@typescript-eslint/no-unsafe-assignment': 'off',
  '@typescript-eslint/no-unsafe-member-access': 'off',
  '@typescript-eslint/no-unsafe-argument': 'off',
  '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
  '@typescript-eslint/no-non-null-assertion': 'off',
  '@typescript-eslint/unbound-method': 'off',
};

/** Plain JavaScript has types by inference only, so what rests on declared ones is off. */
const IN_JAVASCRIPT = {
  '@typescript-eslint/no-unsafe-assignment': 'off',
  '@typescript-eslint/no-unsafe-argument': 'off',
  '@typescript-eslint/no-unsafe-call': 'off',
  '@typescript-eslint/no-unsafe-member-access': 'off',
  '@typescript-eslint/no-unsafe-return': 'off',
  '@typescript-eslint/no-require-imports': 'off',
  '@typescript-eslint/restrict-template-expressions': 'off',
  '@typescript-eslint/restrict-plus-operands': 'off',
  '@typescript-eslint/strict-boolean-expressions': 'off',
};

export default defineConfig(
  {
    ignores: ['node_modules', 'dist', 'client/dist', 'console/dist', '.data', '.cache', 'coverage'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    name: 'sluice/all',
    plugins: { sluice: { rules: { 'function-lines': functionLines } } },
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.lint.json', './console/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: { ...STRICTER, ...TYPED, 'no-undef': 'off' },
  },
  ...placeBlocks,
  {
    name: 'sluice/tools',
    files: PLACES.tools,
    rules: { ...AT_THE_EDGE, '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  {
    name: 'sluice/tables',
    files: ['core/telemetry/metrics.ts'], // one row per metric, however many there are
    rules: { 'sluice/function-lines': 'off' },
  },
  { name: 'sluice/tests', files: PLACES.tests, rules: IN_TESTS },
  { name: 'sluice/javascript', files: ['**/*.{js,mjs,cjs}'], rules: IN_JAVASCRIPT },
  {
    name: 'sluice/generated',
    files: ['client/src/generated/**'],
    rules: { 'max-lines': 'off' },
  },
);
