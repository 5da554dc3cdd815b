import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'an event tells what the catalogue does not know',
    file: 'core/operation-types/bonus-award.ts',
    find: "draft.emit('bonus.awarded', {\n      userId: input.userId,",
    replace: "draft.emit('bonus.awarded', {\n      user: input.userId,",
    foundBy: ['tests/conformance/operations.test.ts'],
  },
];
