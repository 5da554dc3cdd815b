import type { PlantedBug } from '../planted-bug.ts';

const TENANCY_TEST = 'tests/http/tenancy/per-brand.test.ts';

/** Tenants with databases of their own. */
export const BUGS: readonly PlantedBug[] = [
  {
    name: 'all brands work in one database',
    file: 'runtime/cells.ts',
    find: 'mongo: { ...mongo, db: mongo.client.db(database) },',
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    replace: 'mongo: { ...mongo, db: mongo.client.db(`${env.MONGO_DB}_default`) },',
    foundBy: [TENANCY_TEST],
  },
  {
    name: 'the queues of all brands are the same',
    file: 'runtime/cells.ts',
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    find: 'QUEUE_PREFIX: `${env.QUEUE_PREFIX}-${brand}`',
    replace: 'QUEUE_PREFIX: env.QUEUE_PREFIX',
    foundBy: [TENANCY_TEST],
  },
  {
    name: 'a process works on what was set up for the other tenancy',
    file: 'core/infra/schema.ts',
    find: '  await refuseOtherTenancy(db, role);\n',
    replace: '',
    foundBy: [TENANCY_TEST],
  },
  {
    name: 'a tenant that is not there gets a database',
    file: 'runtime/cells.ts',
    find: '(await tenants.find(tenantId)) !== undefined',
    replace: 'tenantId !== undefined',
    foundBy: [TENANCY_TEST],
  },
];
