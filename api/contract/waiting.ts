import { z } from 'zod';
import { WAITING_KINDS, type WaitingKind } from '../../core/kernel/waiting-on.ts';
import { operationId, text, time } from './parts.ts';
import { STATUSES } from '../../core/operations/status.ts';

const kinds = Object.keys(WAITING_KINDS) as [WaitingKind, ...WaitingKind[]]; // its keys, and there are some

/** What open work waits for; absent once it is done. */
export const waitingOn = z
  .strictObject({
    kind: z.enum(kinds),
    subject: text.meta({ description: 'Whom or what: a lane, a worker, a provider, an operation' }),
    since: time,
    expectedAt: time.exactOptional().meta({ description: 'It goes on by then, if anybody knows' }),
  })
  .meta({ id: 'WaitingOn' });

export const waitingSchema = z
  .strictObject({ operationId, status: z.enum(STATUSES), waitingOn: waitingOn.exactOptional() })
  .meta({ id: 'Waiting' });
