import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'blank rows of a spreadsheet are refused by an import',
    file: 'scripts/cli/import/csv.ts',
    find: "cells?.every((cell) => cell === '')",
    replace: 'cells?.every((cell) => cell !== cell)',
    foundBy: ['tests/unit/cli/csv.test.ts'],
  },
  {
    name: 'a torn quote of an import takes the lines after it along',
    file: 'scripts/cli/import/csv-lines.ts',
    find: 'todo = [...rest, line, ...todo];',
    replace: 'todo = [...rest.slice(0, 0), line, ...todo];',
    foundBy: ['tests/unit/cli/csv.test.ts'],
  },
];
