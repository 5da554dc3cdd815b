import type { PlantedBug } from '../planted-bug.ts';

const AS_PEOPLE_HAVE_IT = 'tests/http/bad-input/as-people-have-it.test.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a key in quotes is another key inside a bulk item',
    file: 'core/ingest/idempotency-key.ts',
    find: "typeof raw === 'string' && raw.startsWith('\"')",
    replace: "typeof raw === 'string' && pointer === undefined && raw.startsWith('\"')",
    foundBy: [AS_PEOPLE_HAVE_IT],
  },
  {
    name: 'a removed contact stays as null',
    file: 'core/kernel/changes.ts',
    find: '{ ...record, ...changes }).filter(([, value]) => value !== null)',
    replace: '{ ...record, ...changes })',
    foundBy: [AS_PEOPLE_HAVE_IT],
  },
  {
    name: 'one bad line refuses all the lines of a bulk request',
    file: 'api/http/body.ts',
    find: 'if (error instanceof AppError) return error;',
    replace: '',
    foundBy: [AS_PEOPLE_HAVE_IT],
  },
  {
    name: 'a mail address may bring a header of its own',
    file: 'core/kernel/email.ts',
    find: 'if (!LOCAL.test(local) || !DOMAIN_TEXT.test(domain)) return false;',
    replace: 'if (!LOCAL.test(local)) return false;',
    foundBy: ['tests/unit/core/kernel/email.test.ts'],
  },
];
