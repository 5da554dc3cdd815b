import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a transaction is not acknowledged by a majority',
    file: 'core/infra/mongo.ts',
    find: "new WriteConcern('majority', undefined, true)",
    replace: 'new WriteConcern(1, undefined, true)',
    foundBy: ['tests/integration/settlement/fences.test.ts'],
  },
];
