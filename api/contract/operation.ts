import { z } from 'zod';
import { STATUSES } from '../../core/operations/status.ts';
import {
  count,
  errorCode,
  json,
  metadata,
  operationId,
  pageOf,
  problemSchema,
  text,
  time,
} from './parts.ts';

/** Operations as clients see them. */

const status = z.enum(STATUSES).meta({
  id: 'OperationStatus',
  description:
    'succeeded, rejected, compensated, canceled and expired are final; needs_attention waits for a ' +
    'person; the others are under way',
});

const stepStatus = z.enum([
  'started',
  'done',
  'refused',
  'absent',
  'unsure',
  'waiting',
  'undoing',
  'undone',
]);

const step = z
  .strictObject({
    name: text,
    status: stepStatus,
    attempt: count,
    worker: text.exactOptional(),
    startedAt: time,
    finishedAt: time.exactOptional(),
    result: json.exactOptional(),
    error: z.strictObject({ code: errorCode, detail: text }).exactOptional(),
    retryAt: time.exactOptional(),
    undoAttempt: count.exactOptional(),
    undoneAt: time.exactOptional(),
  })
  .meta({ id: 'Step' });

const listed = {
  id: operationId,
  type: text,
  status,
  result: json.exactOptional(),
  error: problemSchema.exactOptional(),
  preconditions: z
    .strictObject({
      ifAvailableAtLeast: text.exactOptional(),
      ifWalletSeq: count.exactOptional(),
      expiresAt: time.exactOptional(),
    })
    .exactOptional(),
  dryRun: z.literal(true).exactOptional(),
  metadata: metadata.exactOptional(),
  runAt: time.exactOptional(),
  deadline: time.exactOptional(),
  waitingFor: z
    .strictObject({ signal: text, step: text.exactOptional(), until: time.exactOptional() })
    .exactOptional(),
  cancelRequested: z.strictObject({ at: time, by: text }).exactOptional(),
  resolution: z.strictObject({ note: text, at: time, by: text }).exactOptional(),
  idempotencyKey: text,
  correlationId: text,
  createdAt: time,
  completedAt: time.exactOptional(),
  links: z.strictObject({ self: text, timeline: text }),
};

const signals = z.record(z.string(), z.strictObject({ data: json, at: time, by: text }));

export const operationSchema = z
  .strictObject({
    ...listed,
    input: json,
    steps: z.array(step).exactOptional(),
    signals: signals.exactOptional(),
  })
  .meta({ id: 'Operation' });

export const operationListItem = z.strictObject({ ...listed, input: json.exactOptional() }).meta({
  id: 'OperationListItem',
  description: 'Without steps and signals; a batch without its input',
});

export const operationBriefSchema = z
  .strictObject({
    id: operationId,
    status,
    error: z.strictObject({ code: errorCode, detail: text }).exactOptional(),
  })
  .meta({ id: 'OperationBrief', description: 'With `Prefer: return=minimal`' });

export const operationPage = pageOf(operationListItem, 'OperationPage');

/** What a write answers with. */
export const operationAnswer = z.union([operationSchema, operationBriefSchema]);

const bulkItem = z.union([
  z.strictObject({
    index: count,
    status: z.int(),
    replayed: z.literal(true).exactOptional(),
    operation: operationAnswer,
  }),
  z.strictObject({ index: count, status: z.int(), problem: problemSchema }),
]);

export const bulkSchema = z
  .strictObject({ accepted: count, refused: count, results: z.array(bulkItem) })
  .meta({ id: 'BulkResult', description: 'One result per item, in order' });
