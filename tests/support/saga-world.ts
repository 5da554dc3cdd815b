import { MongoNetworkError } from 'mongodb';
import type { Draft } from '../../core/ledger/book.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { noFailpoint } from '../../core/kernel/failpoint.ts';
import { ok } from '../../core/kernel/result.ts';
import { type SagaEngine, createSagaEngine } from '../../core/saga/engine.ts';
import { decideJournalBatch } from '../../core/saga/journal-batch.ts';
import type { Commit, CommitOutcome, JournalChange, SagaJournal } from '../../core/saga/journal.ts';
import { type OperationDoc, SAGA_QUEUE } from '../../core/operations/operation.ts';
import { isSettled } from '../../core/operations/status.ts';
import type { SagaServices } from '../../core/operations/services.ts';
import {
  type SagaPlan,
  type Step,
  type StepContext,
  done,
  refusedCall,
  waitFor,
} from '../../core/operations/step.ts';
import { noneFails } from '../../core/kernel/every.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { operationOf } from './memory-ledger.ts';

/** What happens at one port call: of the journal, or of the other side of a step. */
export type Fate =
  | 'works'
  | 'refuses'
  /** Not the other side does, and whatever an attempt before has done stands. */
  | 'refuses by itself'
  | 'is lost on the way'
  | 'is done, but the answer is lost'
  /** Of a write that wants to know at once: others are in its way. */
  | 'meets others'
  | 'dies before it'
  | 'dies after it'
  | 'stalls before it';

export interface ModelStep {
  /** Before it begins it wants to know what the step before it came to. */
  readonly isCurious?: boolean;
  /** `waits`: takes effect, then waits for somebody to say so. */
  readonly kind: 'ledger' | 'look' | 'safe' | 'query' | 'waits';
  readonly isPivot: boolean;
  readonly hasCompensation: boolean;
}

const LEASE_MS = 1_000;
const EMPTY = { users: new Map(), wallets: new Map(), transfers: new Map(), holds: new Map() };
const FAILURE = { code: 'payment_declined', detail: 'on request' } as const;

class Died extends Error {}

/** A process: once dead, nothing that it does arrives anywhere. */
interface Mortal {
  isDead: boolean;
  epoch: number;
}

/**
 * One operation in memory under the real engine and machine, with a database, another side and a
 * clock that are driven by a script of fates.
 */
export interface SagaWorld {
  readonly operation: () => OperationDoc;
  /** How often each step has taken effect, less how often it was taken back. */
  readonly standing: () => readonly number[];
  /** Sweeps once, then lets a new process work until it ends, dies or stalls. */
  turn(): Promise<void>;
  /** Lets those who stalled go on, until they end or stall again; how many do. */
  releaseZombies(): Promise<number>;
  readonly unexpected: readonly unknown[];
}

interface WorldOptions {
  readonly steps: readonly ModelStep[];
  readonly fates: readonly Fate[];
  /** At this port call somebody asks to cancel. */
  readonly cancelAtCall: number;
}

export function createSagaWorld({ steps, fates, cancelAtCall }: WorldOptions): SagaWorld {
  const script = [...fates];
  let calls = 0;
  const effects = steps.map(() => 0);
  const keys = new Map<string, 'done' | 'refused' | 'tombstone'>();
  const zombies: { release: () => void; run: Promise<void> }[] = [];
  const unexpected: unknown[] = [];
  let nowMs = 1_000_000;
  let onStall: () => void = () => undefined;
  let doc: OperationDoc = {
    ...operationOf('test.model', {}, { dispatch: { queue: SAGA_QUEUE, seq: 1, at: new Date(0) } }),
    createdAt: new Date(nowMs),
  };

  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    after: (_ms, run) => {
      run();
    },
  };

  /** Passes a port call under the next fate of the script. */
  const pass = async <T>(
    self: Mortal,
    act: () => T,
    refuse?: () => T,
    meet: () => T = act,
  ): Promise<T> => {
    if (self.isDead) throw new Died();
    calls += 1;
    if (calls === cancelAtCall) doc = cancelRequestedOf(doc);
    const fate = script.shift() ?? 'works';
    switch (fate) {
      case 'refuses':
        return (refuse ?? act)();
      case 'refuses by itself':
        if (refuse === undefined) return act();
        throw new AppError('provider_unknown', 'not from here');
      case 'is lost on the way':
        throw new MongoNetworkError('lost');
      case 'is done, but the answer is lost':
        act();
        throw new MongoNetworkError('lost');
      case 'dies before it':
        self.isDead = true;
        throw new Died();
      case 'dies after it':
        act();
        self.isDead = true;
        throw new Died();
      case 'stalls before it':
        await new Promise<void>((resolve) => {
          zombies.push({ release: resolve, run: Promise.resolve() });
          onStall();
        });
        return act();
      case 'meets others':
        return meet();
      case 'works':
        return act();
    }
  };

  const attempted = new WeakMap<Commit, JournalChange>();
  const write = (commit: Commit): CommitOutcome => {
    const missed = missOf(doc, commit, attempted.get(commit));
    if (missed !== undefined) return missed;
    const [decided] = decideJournalBatch([commit], EMPTY, {
      stripe: 0,
      notBefore: new Date(0),
    }).writes;
    if (decided === undefined) throw new Error('no decision');
    attempted.set(commit, decided.change);
    doc = changed(doc, decided.change);
    for (const { name, data } of decided.change.events) {
      const step = Number(data?.['step'] ?? Number.NaN);
      if (name === 'does') effects[step] = (effects[step] ?? 0) + 1;
      if (name === 'undoes') effects[step] = (effects[step] ?? 0) - 1;
    }
    return { kind: 'written', change: decided.change };
  };

  /** One whose outcome is unknown is only ever written again. */
  const isFreeToYield = (commit: Commit): boolean =>
    'fuse' in commit && commit.holdsOutcome && !attempted.has(commit);

  /** Whoever owns the operation is shown nothing but what is stored. */
  const isStored = (self: Mortal, results: StepContext<unknown>['results']): boolean =>
    doc.epoch !== self.epoch ||
    noneFails(Object.entries(results), ([name, result]) => {
      const record = doc.steps?.find((one) => one.name === name);
      return record !== undefined && record.result === result;
    });
  const mind = (isRight: boolean, what: string): void => {
    if (!isRight) unexpected.push(new Error(what));
  };

  const journalOf = (self: Mortal): SagaJournal => ({
    claim: () =>
      pass(self, () => {
        if (isSettled(doc.status) || doc.status === 'waiting') return { kind: 'idle' };
        const leaseUntil = doc.leaseUntil?.getTime() ?? 0;
        if (leaseUntil > nowMs) return { kind: 'busy', retryAfterMs: leaseUntil - nowMs };
        const status = doc.status === 'accepted' ? 'running' : doc.status;
        const claimed = { status, epoch: doc.epoch + 1, rev: doc.rev ?? 0 } as const;
        doc = { ...doc, ...claimed, leaseUntil: new Date(nowMs + LEASE_MS) };
        self.epoch = doc.epoch;
        return {
          kind: 'claimed',
          claim: { operation: doc, epoch: doc.epoch, at: new Date(nowMs) },
        };
      }),
    commit: (commit) =>
      pass(
        self,
        () => write(commit),
        undefined,
        () => (isFreeToYield(commit) ? { kind: 'aborted' } : write(commit)),
      ),
    renew: async () => [],
  });

  const call = (self: Mortal, step: number, key: string) =>
    pass(
      self,
      () => {
        const known = keys.get(key);
        if (known === 'refused' || known === 'tombstone') return refusedCall(FAILURE);
        if (known === undefined) effects[step] = (effects[step] ?? 0) + 1;
        keys.set(key, 'done');
        return done();
      },
      () => {
        if (keys.get(key) === 'done') return done();
        keys.set(key, 'refused');
        return refusedCall(FAILURE);
      },
    );
  const query = (self: Mortal, key: string) =>
    pass(self, () => {
      const known = keys.get(key);
      if (known === undefined) return { kind: 'absent' as const };
      return known === 'done' ? done() : refusedCall(FAILURE);
    });
  const revoke = (self: Mortal, step: number, key: string) =>
    pass(self, () => {
      if (keys.get(key) === 'done') effects[step] = (effects[step] ?? 0) - 1;
      keys.set(key, 'tombstone');
    });

  const stepOf = (self: Mortal, shape: ModelStep, step: number): Step<unknown> => {
    const base = { name: `s${String(step)}`, ...(shape.isPivot && { isPivot: true as const }) };
    const posting = (name: 'does' | 'undoes') => ({
      touches: ({ results }: Pick<StepContext<unknown>, 'results'>) => {
        if (shape.isCurious === true && step > 0) {
          mind(
            isStored(self, { [`s${String(step - 1)}`]: results[`s${String(step - 1)}`] }),
            'ahead',
          );
        }
        return {};
      },
      decide: (draft: Pick<Draft, 'emit'>) => {
        draft.emit(name as never, { step: String(step) } as never); // of the model's own
        return ok(`posted ${String(step)}`);
      },
    });
    if (shape.kind === 'ledger') {
      const compensate = shape.hasCompensation
        ? posting('undoes')
        : ('none-needed: model' as const);
      return { ...base, kind: 'ledger', ...posting('does'), compensate };
    }
    const { kind } = shape;
    if (kind === 'look') {
      return {
        ...{ ...base, kind: 'call', redo: 'safe', onlyLooks: true, timeoutMs: 60_000 },
        retry: { attemptsMax: 3, baseMs: 1, capMs: 2 },
        run: ({ results }) =>
          pass(
            self,
            () =>
              done(
                shape.isCurious === true && step > 0
                  ? [results[`s${String(step - 1)}`] ?? null]
                  : 'seen',
              ),
            () => refusedCall(FAILURE),
          ),
        compensate: 'none-needed: model',
      };
    }
    return {
      ...base,
      kind: 'call',
      redo: kind === 'waits' ? 'safe' : kind,
      timeoutMs: 60_000,
      retry: { attemptsMax: 3, baseMs: 1, capMs: 2 },
      run: async ({ signals, results, attempt }, { key }) => {
        const { [base.name]: _own, ...others } = results;
        mind(isStored(self, others), `${base.name} saw what is not stored`);
        const record = doc.steps?.[step];
        const isIntended = record?.status === 'started' && record.attempt === attempt;
        mind(doc.epoch !== self.epoch || isIntended, `${base.name} was called without an intent`);
        const reply = await call(self, step, key);
        const isAsking = shape.kind === 'waits' && signals[base.name] === undefined;
        return isAsking && reply.kind === 'done' ? waitFor(base.name) : reply;
      },
      query: (_ctx, { key }) => query(self, key),
      compensate: shape.hasCompensation
        ? { run: (_ctx, { key }) => revoke(self, step, key) }
        : 'none-needed: model',
    };
  };

  const startProcess = (): { engine: SagaEngine } => {
    const self: Mortal = { isDead: false, epoch: 0 };
    const plan: SagaPlan = {
      steps: steps.map((shape, step) => stepOf(self, shape, step)),
      result: () => undefined,
    };
    const engine = createSagaEngine({
      journal: journalOf(self),
      heartbeat: {
        hold: (_claim, sinceMs) => {
          const isOurs = (): boolean => nowMs < sinceMs + LEASE_MS - 100;
          return {
            signal: new AbortController().signal,
            mayCall: isOurs,
            isCancelRequested: () => false,
            drop: () => undefined,
          };
        },
        close: async () => undefined,
      },
      planOf: () => ({ kind: 'plan', plan }),
      services: {} as SagaServices, // no step of the model uses them
      hints: { announce: () => undefined },
      clock,
      random: () => 0.5,
      failpoint: noFailpoint,
      logger: createLogger({ level: 'silent', service: 'test' }),
      metrics: createMetrics(),
    });
    return { engine };
  };

  const untilItStalls = async (go: () => Promise<void>): Promise<void> => {
    const before = zombies.length;
    const stalled = new Promise<void>((resolve) => {
      onStall = resolve;
    });
    const run = go();
    await Promise.race([run, stalled]);
    const zombie = zombies[before];
    if (zombie !== undefined) zombie.run = run;
  };

  /** What recovery does: the rules are its own tests'. */
  const sweep = (): void => {
    const { leaseUntil, runAt, status, steps = [] } = doc;
    const asked = steps.find((step) => step.status === 'waiting')?.waitingFor?.signal;
    if (status === 'waiting' && asked !== undefined && doc.cancelRequested === undefined) {
      const signals = { ...doc.signals, [asked]: { data: null, at: new Date(nowMs), by: 'test' } };
      doc = { ...doc, signals };
    }
    if (status === 'waiting' && runAt === undefined) doc = { ...doc, status: letIn(status) };
    if (leaseUntil !== undefined) {
      nowMs = Math.max(nowMs, leaseUntil.getTime());
      const { leaseUntil: _lease, ...free } = doc;
      doc = { ...free, epoch: doc.epoch + 1, status: letIn(status) };
    } else if (runAt !== undefined) {
      nowMs = Math.max(nowMs, runAt.getTime());
      const { runAt: _runAt, ...free } = doc;
      doc = { ...free, status: letIn(status) };
    }
  };

  return {
    operation: () => doc,
    standing: () => effects,
    unexpected,
    turn: async () => {
      sweep();
      const { engine } = startProcess();
      await untilItStalls(() =>
        engine.run(doc._id).catch((error: unknown) => {
          if (!isExpected(error)) unexpected.push(error);
        }),
      );
    },
    releaseZombies: async () => {
      for (const { release, run } of zombies.splice(0)) {
        await untilItStalls(() => {
          release();
          return run;
        });
      }
      return zombies.length;
    },
  };
}

/** Why a commit is not written now; undefined when it is. */
function missOf(
  doc: OperationDoc,
  { ref, guard }: Commit,
  change: JournalChange | undefined,
): CommitOutcome | undefined {
  if (doc.epoch !== ref.epoch) return { kind: 'fenced' };
  if (doc.rev === ref.rev + 1 && change !== undefined) return { kind: 'written', change };
  if (doc.rev !== ref.rev) return { kind: 'fenced' };
  const { cancelRequested, signals = {} } = doc;
  const isCancelRequested = cancelRequested !== undefined;
  const isAnswered = guard.signal !== undefined && signals[guard.signal] !== undefined;
  if (!isAnswered && !(guard.cancel === true && isCancelRequested)) return undefined;
  return { kind: 'overtaken', requests: { isCancelRequested, signals } };
}

/** As the API stores it: before the pivot, and not on the way back. */
function cancelRequestedOf(doc: OperationDoc): OperationDoc {
  const isOpen = doc.status === 'running' || doc.status === 'accepted' || doc.status === 'waiting';
  if (!isOpen || doc.pivotPassed === true) return doc;
  return { ...doc, cancelRequested: { at: new Date(0), by: 'test' } };
}

/** Of a run: its process is dead, the database away, or another claim alive. */
function isExpected(error: unknown): boolean {
  if (error instanceof Died || error instanceof MongoNetworkError) return true;
  return error instanceof AppError && error.code === 'operation_busy';
}

function letIn(status: OperationDoc['status']): OperationDoc['status'] {
  return status === 'compensating' ? status : 'accepted';
}

/** As the store writes it. */
function changed(doc: OperationDoc, change: JournalChange): OperationDoc {
  const { state, status, lease, wakeAt } = change;
  const { leaseUntil, runAt: _runAt, ...rest } = doc;
  return {
    ...rest,
    status,
    steps: state.steps,
    pivotPassed: state.pivotPassed,
    rev: (doc.rev ?? 0) + 1,
    ...(state.turnBack !== undefined && { turnBack: state.turnBack }),
    ...(change.error !== undefined && { error: change.error }),
    ...(wakeAt !== undefined && { runAt: wakeAt }),
    ...(lease === 'keep' && leaseUntil !== undefined && { leaseUntil }),
  };
}
