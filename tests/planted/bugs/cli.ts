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
  {
    name: 'of two lines with one key an import waits for the second alone',
    file: 'scripts/cli/import/window.ts',
    find: '[...(waiting.get(operationId) ?? []), operation]',
    replace: '[operation]',
    foundBy: ['tests/unit/cli/import.test.ts'],
  },
  {
    name: "equal lines of next month's file are silently taken for the old ones",
    file: 'scripts/cli/import/report.ts',
    find: 'taken > 0 && summary.new > 0 && !resumed',
    replace: 'taken < 0 && summary.new > 0 && !resumed',
    foundBy: ['tests/unit/cli/import.test.ts'],
  },
  {
    name: 'a line whose answer was lost counts as one of an earlier file',
    file: 'scripts/cli/import/sender.ts',
    find: "isRepeated ? 'this-run' : 'before'",
    replace: "isRepeated ? 'before' : 'before'",
    foundBy: ['tests/unit/cli/import.test.ts'],
  },
  {
    name: 'a column that no operation has is found line by line',
    file: 'scripts/cli/import/csv.ts',
    find: 'if (strange.length > 0) throw',
    replace: 'if (strange.length > 999) throw',
    foundBy: ['tests/unit/cli/command.test.ts'],
  },
  {
    name: 'an empty database is a sound ledger',
    file: 'scripts/cli/commands/ledger.ts',
    find: "some((count) => count > 0) ? 'sound' : 'nothing'",
    replace: "some((count) => count > 0) ? 'sound' : 'sound'",
    foundBy: ['tests/integration/verify-command.test.ts'],
  },
  {
    name: 'npm start forgets the port of last time',
    file: 'scripts/up/settings.ts',
    find: 'pickPort([...lastPort(lastUrl), DEFAULT_PORT])',
    replace: 'pickPort([...lastPort(lastUrl?.slice(0, 0)), DEFAULT_PORT])',
    foundBy: ['tests/unit/cli/stack.test.ts'],
  },
  {
    name: 'a worker that is added lacks the mail server of the others',
    file: 'scripts/cli/dev-file.ts',
    find: '    ...dev.stackEnv,\n',
    replace: '',
    foundBy: ['tests/unit/cli/stack.test.ts'],
  },
  {
    name: 'npm start keeps a password that the API refuses',
    file: 'scripts/up/settings.ts',
    find: '    parseEnv(named);\n',
    replace: '',
    foundBy: ['tests/unit/cli/stack.test.ts'],
  },
];
