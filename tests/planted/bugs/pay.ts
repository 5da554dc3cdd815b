import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a negative Retry-After is a date long ago, and means now',
    file: 'core/kernel/retry-after.ts',
    find: 'if (asctime === null) return Number.NaN;',
    replace: 'if (asctime === null) return Date.parse(text);',
    foundBy: ['tests/unit/core/kernel/retry-after.test.ts'],
  },
  {
    name: 'the importer hammers a server that asks for a wait of zero',
    file: 'scripts/cli/retry.ts',
    find: 'isAsked ? retryAfterMs : ownMs',
    replace: 'retryAfterMs ?? ownMs',
    foundBy: ['tests/unit/cli/parts.test.ts', 'tests/unit/cli/import-trouble.test.ts'],
  },
];
