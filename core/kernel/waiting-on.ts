/** What open work waits for. A closed set: it labels a metric. */
export const WAITING_KINDS = {
  lane: 'its turn among what stands in its lane',
  line: 'an earlier operation of its line',
  queue: 'a worker that takes its job',
  lease: 'a worker that has it, or a lane that nobody holds',
  timer: 'a time: it was scheduled, gathers a digest, or quiet hours go on',
  breaker: 'an open circuit breaker',
  rate: 'a limit of messages or calls: ours, or that which the other side has asked for',
  retry: 'the next attempt of something that failed',
  provider: 'the answer of a provider, or a place at it',
  signal: 'word from outside',
  approval: 'a person who decides',
  pause: 'somebody has said that it shall wait',
  attention: 'a person who repairs it',
  'redis-away': 'Redis: its job cannot be found there',
  recovery: 'recovery, which enqueues or takes over what was lost',
} as const;
export type WaitingKind = keyof typeof WAITING_KINDS;

/** The answer to "why is it waiting", for people: nothing is decided by it. */
export interface WaitingOn {
  readonly kind: WaitingKind;
  /** Whom or what: a lane, a worker, a provider, a step, a signal, an operation. */
  readonly subject: string;
  readonly since: Date;
  /** It goes on by then, as far as anybody can know. */
  readonly expectedAt?: Date;
}

export function waitsOn(
  kind: WaitingKind,
  subject: string,
  { since, expectedAt }: { readonly since: Date; readonly expectedAt?: Date | undefined },
): WaitingOn {
  return { kind, subject, since, ...(expectedAt !== undefined && { expectedAt }) };
}

/** Where the job of open work is; `away`: Redis did not say. */
export type JobSight = 'queued' | 'delayed' | 'finished' | 'gone' | 'away';
