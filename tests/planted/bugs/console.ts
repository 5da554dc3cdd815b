import type { PlantedBug } from '../planted-bug.ts';

const OPERATOR_TEST = 'tests/http/admin/operator.test.ts';
const ADMIN_TEST = 'tests/http/admin/admin.test.ts';
const RATES_TEST = 'tests/unit/console/rates.test.ts';

/** What a session may do, and what the console says. */
export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a cookie is enough',
    file: 'api/admin/operator.ts',
    find: "headers.authorization === undefined && headers[CONSOLE_HEADER] === '1'",
    replace: 'headers.authorization === undefined',
    foundBy: [OPERATOR_TEST],
  },
  {
    name: 'another site may write with the session',
    file: 'api/admin/operator.ts',
    find: '    refuseOtherSites(request);\n',
    replace: '',
    foundBy: [OPERATOR_TEST],
  },
  {
    name: 'a write without an origin is taken',
    file: 'api/admin/operator.ts',
    find: '(isRead && headers.origin === undefined)',
    replace: 'headers.origin === undefined',
    foundBy: [OPERATOR_TEST],
  },
  {
    name: 'a tenant that was given up may be worked with',
    file: 'api/admin/operator.ts',
    find: "tenant === undefined || (tenant.status ?? 'active') !== 'active'",
    replace: 'tenant === undefined',
    foundBy: [OPERATOR_TEST],
  },
  {
    name: 'sign-in leads to other sites',
    file: 'api/admin/router.ts',
    find: '  return isOurs ? wanted : HOME;',
    replace: '  return isOurs ? wanted : String(wanted);',
    foundBy: [ADMIN_TEST],
  },
  {
    name: 'what is unknown of a counter is none of it',
    file: 'console/src/pure/rates.ts',
    find: 'after < before || ',
    replace: '',
    foundBy: [RATES_TEST],
  },
];
