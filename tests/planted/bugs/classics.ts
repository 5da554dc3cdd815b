import type { PlantedBug } from '../planted-bug.ts';

/** What payment systems get wrong everywhere. */
export const BUGS: readonly PlantedBug[] = [
  {
    name: 'two operations may be stored under one idempotency key',
    file: 'core/infra/collections.ts',
    find: '{ key: { tenantId: 1, idempotencyKey: 1 }, unique: true },',
    replace: '{ key: { tenantId: 1, idempotencyKey: 1 } },',
    foundBy: ['tests/integration/ingest/replay.test.ts'],
  },
  {
    name: 'a tenant reads the operation of another',
    file: 'core/operations/operation-reads-store.ts',
    find: 'points.read({ tenantId, id })',
    replace: "points.read({ tenantId: 'default', id })",
    foundBy: ['tests/http/access.test.ts'],
  },
  {
    name: 'every attempt at a webhook has an id of its own',
    file: 'core/notifications/providers/webhook.ts',
    find: "'webhook-id': id,",
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    replace: "'webhook-id': `${id}-${timestamp}-${Math.random()}`,",
    foundBy: ['tests/integration/notifications/webhook.test.ts'],
  },
  {
    name: 'a batch settles operations that are not its own any more',
    file: 'core/settlement/batch-runner.ts',
    find: 'if (!isOurs) throw new StaleBatch();',
    replace: '',
    foundBy: ['tests/integration/settlement/fences.test.ts'],
  },
  {
    name: 'a lease that still runs is taken over',
    file: 'core/saga/journal-store.ts',
    find: "isPast('$leaseUntil'),",
    replace: '',
    foundBy: ['tests/sagas/journal-fences.test.ts'],
  },
  {
    name: 'a credit is taken off and a debit added',
    file: 'core/ledger/book.ts',
    find: "direction === 'credit' ? amount : -amount",
    replace: "direction === 'credit' ? -amount : amount",
    foundBy: ['tests/unit/core/ledger/book.test.ts'],
  },
  {
    name: 'the outbox row of a settled batch is lost',
    file: 'core/settlement/batch-runner.ts',
    find: 'await deps.outbox.insert(transaction.session, rows);',
    replace: '',
    foundBy: ['tests/integration/settlement/worker.test.ts'],
  },
  {
    name: 'a commit of which nobody knows whether it happened counts as done',
    file: 'core/ledger/ledger-store.ts',
    find: '|| tries >= COMMIT_TRIES_MAX) throw error;',
    replace: ') throw error;\n      if (tries >= COMMIT_TRIES_MAX) return;',
    foundBy: ['tests/integration/settlement/commits.test.ts'],
  },
  {
    name: 'the verifier looks past what a wallet has paid out in all',
    file: 'core/ledger/verify/verify.ts',
    find: "['totalDebited', wallet.totalDebited, fold.totalDebited],",
    replace: '',
    foundBy: ['tests/unit/core/ledger/verify/verify.test.ts'],
  },
  {
    name: 'the verifier takes a saga that was not taken back for sound',
    file: 'core/ledger/verify/verify.ts',
    find: 'return !TAKEN_BACK.has(operation.status) || netsToZero(entries);',
    replace: 'return true;',
    foundBy: ['tests/unit/core/ledger/verify/verify.test.ts'],
  },
];
