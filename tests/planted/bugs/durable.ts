import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a transaction is not acknowledged by a majority',
    file: 'core/infra/mongo.ts',
    find: "new WriteConcern('majority', undefined, true)",
    replace: 'new WriteConcern(1, undefined, true)',
    foundBy: ['tests/integration/settlement/fences.test.ts'],
  },
  {
    name: 'an insert of which the server said nothing counts as stored',
    file: 'core/infra/database-errors.ts',
    find: "errors.length > 0 && faultOf(error) === 'duplicate-key';",
    replace: 'errors.every(({ code }) => code === DUPLICATE_KEY);',
    foundBy: [
      'tests/unit/core/infra/database-errors.test.ts',
      'tests/integration/ingest/lost-answers.test.ts',
    ],
  },
  {
    name: 'what a bulk write wraps is not seen through: 500, parked, counted against operations',
    file: 'core/infra/database-errors.ts',
    find: 'if (!(errorResponse instanceof Error)) break;',
    replace: 'if (!(errorResponse instanceof Error) || depth < WRAPPERS_MAX) break;',
    foundBy: ['tests/unit/core/infra/database-errors.test.ts'],
  },
  {
    name: 'duplicates hide a write concern that failed, and a repeat gets 500',
    file: 'core/infra/database-errors.ts',
    find: "if (hasLostConcern(error)) return 'unavailable';",
    replace: '',
    foundBy: [
      'tests/unit/core/infra/database-errors.test.ts',
      'tests/integration/ingest/lost-answers.test.ts',
    ],
  },
  {
    name: 'a request waits for as long as a database stalls',
    file: 'core/operations/ingest.ts',
    find: 'withTimeout(answered, answerMs, tooLate)',
    replace: 'withTimeout(answered, 1_000 * answerMs, tooLate)',
    foundBy: ['tests/integration/ingest/lost-answers.test.ts'],
  },
  {
    name: 'what was refused as not stored is stored when the database comes back',
    file: 'core/operations/ingest.ts',
    find: "return stage !== 'given-up';",
    replace: "return stage !== 'sent';",
    foundBy: ['tests/integration/ingest/lost-answers.test.ts'],
  },
  {
    name: 'a database that fails for a while uses up the attempts of a step',
    file: 'core/saga/saga-run.ts',
    find: 'return isPassing(error) ? Math.max(0, attempt - 1) : attempt;',
    replace: 'return attempt;',
    foundBy: ['tests/sagas/database-faults.test.ts'],
  },
  {
    name: 'a saga does not wait for a database that fails for a moment',
    file: 'core/saga/engine.ts',
    find: 'if (!isPassing(error) || run.lease.signal.aborted) throw error;',
    replace: 'if (isPassing(error) || run.lease.signal.aborted) throw error;',
    foundBy: ['tests/sagas/database-faults.test.ts'],
  },
  {
    name: 'a failure of the database counts against the operation, which ends with a human',
    file: 'core/operations/batch-runner.ts',
    find: 'const isOwn = !isPassing(error);',
    replace: 'const isOwn = true;',
    foundBy: ['tests/integration/settlement/poison.test.ts'],
  },
  {
    name: 'a delivery whose claim got no answer counts as interrupted',
    file: 'core/notifications/delivery-journal.ts',
    find: 'if (!isPassing(error) || tries >= TRIES_MAX) throw error;',
    replace: 'throw error;',
    foundBy: ['tests/integration/notifications/lost-answers.test.ts'],
  },
  {
    name: 'an answer waits for a handler however long its database stalls',
    file: 'api/endpoint.ts',
    find: 'return inTime(answer, preferencesOf(incoming).waitSeconds);',
    replace: 'return answer;',
    foundBy: ['tests/unit/api/in-time.test.ts'],
  },
];
