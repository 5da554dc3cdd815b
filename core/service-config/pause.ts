import { z } from 'zod';
import { CHANNEL_NAMES } from '../../config/channel-defaults.ts';
import { LIMITS } from '../../config/limits.ts';
import { providersOf } from '../../config/settings.ts';
import { AppError } from '../kernel/errors.ts';
import { noneFails } from '../kernel/every.ts';

const PROVIDERS: readonly string[] = [
  ...new Set([...providersOf('payment.timeoutMs'), ...providersOf('delivery.timeoutMs')]),
];

/** What is paused: everything to which all of this applies. */
export const pauseSubjectSchema = z.strictObject({
  type: z
    .string()
    .regex(/^[a-z][a-z.-]{0,63}$/, 'must be the name of an operation type')
    .exactOptional(),
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be the id of a tenant')
    .exactOptional(),
  provider: z.enum(PROVIDERS as [string, ...string[]]).exactOptional(),
  channel: z.enum(CHANNEL_NAMES).exactOptional(),
  endpoint: z
    .string()
    .regex(/^whk_[A-Za-z0-9_-]{1,64}$/, 'must be the id of a webhook endpoint')
    .exactOptional(),
  lane: z
    .int()
    .min(0)
    .max(LIMITS.lanesEver - 1)
    .exactOptional(),
});
export type PauseSubject = z.infer<typeof pauseSubjectSchema>;

const DIMENSIONS = ['type', 'tenant', 'provider', 'channel', 'endpoint', 'lane'] as const;

/** Somebody has said that it shall wait: who, since when and why. Kept when it is over. */
export interface Pause {
  readonly _id: `pau_${string}`;
  /** The subject as text; there is one pause of it at a time. */
  readonly key: string;
  readonly subject: PauseSubject;
  readonly reason: string;
  readonly author: string;
  /** The tenant whose administrators made it for themselves; only then they may end it. */
  readonly madeBy?: string;
  readonly since: Date;
  readonly isActive?: true;
  /** It is over for what comes, and what was held back is let in at that pace. */
  readonly resuming?: { readonly perSecond: number };
  readonly resumedAt?: Date;
  readonly resumedBy?: string;
  readonly resumeReason?: string;
}

/** What is asked about: of an operation its type, tenant and lane; of a call where it goes. */
export type PauseQuestion = PauseSubject;

export function pauseKeyOf(subject: PauseSubject): string {
  return DIMENSIONS.flatMap((one) =>
    subject[one] === undefined ? [] : [`${one}:${String(subject[one])}`],
  ).join('/');
}

/** What the metric counts by. */
export function pauseKindOf(subject: PauseSubject): string {
  return DIMENSIONS.filter((one) => subject[one] !== undefined).join('+');
}

/** @throws AppError `invalid_pause` for what could apply to nothing. */
export function checkSubject(subject: PauseSubject): void {
  const has = (one: (typeof DIMENSIONS)[number]): boolean => subject[one] !== undefined;
  if (noneFails(DIMENSIONS, (one) => !has(one))) {
    throw new AppError(
      'invalid_pause',
      `Say what to pause: one or more of ${DIMENSIONS.join(', ')}`,
    );
  }
  const ofOperations = (['type', 'lane'] as const).filter(has);
  const ofCalls = (['provider', 'channel', 'endpoint'] as const).filter(has);
  if (ofOperations.length === 0 || ofCalls.length === 0) return;
  const [ours, theirs] = [ofOperations.join(' and '), ofCalls.join(' and ')];
  const detail = `${ours} is of operations, ${theirs} of what is sent: nothing is both`;
  throw new AppError('invalid_pause', detail);
}

/** All that the subject says applies. Pure. */
function covers({ subject }: Pick<Pause, 'subject'>, asked: PauseQuestion): boolean {
  return noneFails(DIMENSIONS, (one) => subject[one] === undefined || subject[one] === asked[one]);
}

/** The pause that keeps something waiting, the oldest of several; undefined: it may go. Pure. */
export function pauseOn(pauses: readonly Pause[], asked: PauseQuestion): Pause | undefined {
  let found: Pause | undefined;
  for (const pause of pauses) {
    if (pause.resuming !== undefined || !covers(pause, asked)) continue;
    if (found === undefined || pause.since < found.since) found = pause;
  }
  return found;
}

/** What a process knows of pauses; reading costs nothing while there are none. */
export interface Pauses {
  readonly active: readonly Pause[];
  /** What keeps that waiting, since when, by whom. */
  on(asked: PauseQuestion): Pause | undefined;
  /** What it holds back is not to be let in yet. */
  isActive(id: string): boolean;
}

export const NO_PAUSES: Pauses = Object.freeze({
  active: [],
  on: () => undefined,
  isActive: () => false,
});
