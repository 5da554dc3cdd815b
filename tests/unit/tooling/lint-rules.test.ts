import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '../../..');
const CONFIG = join(ROOT, 'eslint.config.js');

const bansSchema = z.tuple([z.literal(2)], z.object({ selector: z.string(), message: z.string() }));

const configSchema = z.object({
  rules: z.object({ 'no-restricted-syntax': bansSchema }),
  plugins: z.object({ sluice: z.custom<ESLint.Plugin>() }),
});

/** What is in force for a file, as ESLint itself works it out. */
async function configFor(path: string): Promise<z.infer<typeof configSchema>> {
  const eslint = new ESLint({ cwd: ROOT, overrideConfigFile: CONFIG });
  return configSchema.parse(await eslint.calculateConfigForFile(join(ROOT, path)));
}
const bansFor = async (path: string): Promise<z.infer<typeof bansSchema>> =>
  (await configFor(path)).rules['no-restricted-syntax'];

function messagesOf(code: string, bans: z.infer<typeof bansSchema>): string[] {
  const found = new Linter().verify(
    code,
    [
      {
        files: ['**/*.ts'],
        languageOptions: { parser: tseslint.parser },
        rules: { 'no-restricted-syntax': bans },
      },
    ],
    'a.ts',
  );
  return found.map(({ message }) => message);
}

const CORE = 'core/saga/engine.ts';
const LEDGER = 'core/ledger/ledger.ts';
const CLOCK = 'core/kernel/clock.ts';
const MAIN = 'api/main.ts';
const TEST = 'tests/unit/a.test.ts';
const SUPPORT = 'tests/support/wait.ts';
const SCRIPT = 'cli/main.ts';

/** Code, the files in which it is an error, and those in which it is not. */
const CASES: readonly (readonly [code: string, bad: readonly string[], good: readonly string[]])[] =
  [
    ['process.env.PORT', [CORE, CLOCK], [MAIN, 'config/env.ts', TEST, SCRIPT]],
    ['process.exit(1)', [CORE], [MAIN, SCRIPT]],
    ['Date.now()', [CORE, MAIN], [CLOCK, TEST, SCRIPT]],
    ['new Date()', [CORE], [CLOCK, TEST]],
    ['performance.now()', [CORE], [CLOCK, 'bench/a.ts']],
    ['process.hrtime.bigint()', [CORE], [CLOCK, 'bench/a.ts']],
    ['list.every(isSent)', [CORE, MAIN, TEST, SUPPORT], [SCRIPT, 'bench/a.ts']],
    ['setTimeout(f, 5)', [CORE, TEST, MAIN], [CLOCK, SUPPORT, SCRIPT]],
    ["import { setTimeout } from 'node:timers/promises'", [CORE, TEST], [CLOCK, SUPPORT]],
    ['Math.random()', [CORE, TEST], [CLOCK, SCRIPT, 'runtime/platform.ts']],
    ['parseFloat(a)', [CORE], [SCRIPT]],
    ['amount.toFixed(2)', [CORE], [SCRIPT]],
    ['BigInt.prototype.toJSON = f', [CORE, TEST, SCRIPT], []],
    ["error.message.includes('E11000')", [CORE, MAIN], [TEST]],
    ['value as unknown as string', [CORE], [TEST]],
    ['promise.catch(() => {})', [CORE, TEST, SCRIPT], []],
    ['export default 1', [CORE, TEST, SCRIPT], ['vitest.config.ts']],
    ["export * from './a.ts'", [CORE, MAIN], [TEST]],
    ["export { a } from './a.ts'", [CORE], [TEST]],
    ["import { a } from './a.js'", [CORE, TEST], ['vitest.config.ts']],
    ['Number(amount)', [LEDGER], [CORE]],
    ['+amount', [LEDGER], [CORE]],
    ['amount / 2n', [LEDGER], [CORE]],
  ];

const CLEAN = `
  import { a } from './a.ts';
  import type { B } from 'b';
  export const at = new Date(clock.now());
  export { a };
  const c = (value: unknown): B => value as B;
  const late = promise.catch(() => undefined);
  await clock.sleep(5);
  if (error.code === 'E') throw error;
`;

describe('bans', () => {
  it.each(CASES)('%s', async (code, bad, good) => {
    for (const path of bad) {
      expect([path, messagesOf(code, await bansFor(path)).length]).toEqual([path, 1]);
    }
    for (const path of good) {
      expect([path, messagesOf(code, await bansFor(path))]).toEqual([path, []]);
    }
  });

  it('leave ordinary code alone', async () => {
    for (const path of [CORE, LEDGER, TEST]) {
      expect(messagesOf(CLEAN, await bansFor(path))).toEqual([]);
    }
  });

  it('are each shown by a case', async () => {
    const inForce = [...(await bansFor(CORE)), ...(await bansFor(LEDGER))];
    const messages = new Set(
      inForce.flatMap((ban) => (typeof ban === 'object' ? [ban.message] : [])),
    );
    for (const [code, [path = CORE]] of CASES) {
      for (const message of messagesOf(code, await bansFor(path))) messages.delete(message);
    }
    expect([...messages]).toEqual([]);
  });
});

describe('function-lines', () => {
  const lines = (count: number): string => '\n// free\nx();'.repeat(count);
  const inner = (name: string): string => `const ${name} = () => {${lines(58)}\n};\n`;
  const [f, g, h] = [inner('f'), inner('g'), inner('h')];

  it.each([
    ['a function of 60 lines', `function a() {${lines(58)}\n}`, undefined],
    ['a function of 61 lines', `function a() {${lines(59)}\n}`, 'long'],
    ['a method of 61 lines', `class A { a() {${lines(59)}\n} }`, 'long'],
    ['a factory of two such functions', `function createA() {\n${f}${g}}`, undefined],
    ['a factory with 61 lines of its own', `function createA() {${lines(59)}\n}`, 'ownLong'],
    ['a factory of 182 lines', `const createA = () => {\n${f}${g}${h}};`, 'factoryLong'],
    ['the same under another name', `const makeA = () => {\n${f}};`, 'long'],
  ])('judges %s', async (_, code, expected) => {
    const { plugins } = await configFor(CORE);
    const found = new Linter().verify(code, [
      {
        plugins,
        rules: { 'sluice/function-lines': ['error', { max: 60, factoryMax: 150 }] },
      },
    ]);
    expect(found.map(({ messageId }) => messageId)).toEqual(
      expected === undefined ? [] : [expected],
    );
  });
});

/** What a rule that needs types must catch, in every part of the tree. */
const TYPED: Record<string, string> = {
  '@typescript-eslint/no-floating-promises': 'work();',
  '@typescript-eslint/no-misused-promises': '[1].forEach(async () => { await work(); });',
  '@typescript-eslint/return-await':
    'export const f = async () => { try { return work(); } catch { return 1; } };',
  '@typescript-eslint/only-throw-error': "export const g = () => { throw 'text'; };",
};

describe('promise rules', () => {
  let tree = '';
  const body = ['const work = async () => 1;', ...Object.values(TYPED), 'void work();', ''].join(
    '\n',
  );

  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'lint-'));
    for (const path of [CORE, TEST, SCRIPT, 'scripts/dev/servers/start.mjs']) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await writeFile(join(tree, path), body);
    }
    const compilerOptions = {
      strict: true,
      allowJs: true,
      module: 'nodenext',
      target: 'es2023',
      types: [],
    };
    await writeFile(join(tree, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  });
  afterAll(async () => {
    await rm(tree, { recursive: true });
  });

  it('hold in sources, tests and scripts alike', async () => {
    const parserOptions = { project: './tsconfig.json', tsconfigRootDir: tree };
    const eslint = new ESLint({
      cwd: tree,
      overrideConfigFile: CONFIG,
      overrideConfig: [{ languageOptions: { parserOptions } }],
    });
    const results = await eslint.lintFiles(['.']);
    expect(results).toHaveLength(4);
    for (const { messages } of results) {
      const rules = messages.map(({ ruleId }) => ruleId);
      expect(rules).toEqual(expect.arrayContaining(Object.keys(TYPED)));
      // Once for the bare call and once for `void`, which is no supervision.
      expect(rules.filter((rule) => rule?.endsWith('no-floating-promises'))).toHaveLength(2);
    }
  }, 20_000);
});
