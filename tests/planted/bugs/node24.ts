import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a build of Node that is not the pinned one is run',
    file: 'scripts/node-build.mjs',
    find: 'if (found === integrity) return;',
    replace: 'if (found !== "") return;',
    foundBy: ['tests/integration/local-servers/node-build.test.ts'],
  },
  {
    name: 'a platform runs on for ever when the older Node that waits for it is killed',
    file: 'scripts/bootstrap.mjs',
    find: 'if (!launcher || process.ppid !== launcher) return;',
    replace: 'if (launcher > 0) return;',
    foundBy: ['tests/integration/local-servers/node-build.test.ts'],
  },
  {
    name: 'a Ctrl-C that comes twice at once ends an import without a word',
    file: 'cli/interrupts.ts',
    find: 'now - firstAt > SAME_INTERRUPT_MS',
    replace: 'now - firstAt >= 0',
    foundBy: ['tests/unit/cli/interrupts.test.ts'],
  },
  {
    name: 'a misspelt setting does nothing, and nobody is told',
    file: 'config/env.ts',
    find: 'if (parsed.success && unknown.length === 0) {',
    replace: 'if (parsed.success) {',
    foundBy: ['tests/unit/config/env.test.ts'],
  },
  {
    name: 'a token without the address that it is for is taken',
    file: 'config/env-together.ts',
    find: 'env[name] !== undefined && env[needed] === undefined',
    replace: 'env[name] === undefined && env[needed] === null',
    foundBy: ['tests/unit/config/env.test.ts'],
  },
  {
    name: 'a package that ships from its dist may be imported anywhere',
    file: '.dependency-cruiser.cjs',
    find: "exclude: { path: '^(dist|",
    replace: "exclude: { path: '(^|/)(dist|",
    foundBy: ['tests/unit/tooling/boundaries.test.ts'],
  },
];
