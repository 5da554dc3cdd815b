import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Client, Outcome, Request } from './client.ts';
import type { Requests } from './requests.ts';

/** One of the clients, with what it remembers. */
export interface Actor {
  readonly client: Client;
  readonly random: Random;
  readonly requests: Requests;
  readonly note: (outcomes: readonly Outcome[]) => void;
  /** Waits for its turn to send so many operations. */
  readonly pace: (operations?: number) => Promise<void>;
  /** No new request may begin. */
  readonly isOver: () => boolean;
  readonly bulkMax: number;
  /** Sent lately, to be sent again. */
  readonly recent: Request[];
  readonly ids: string[];
  /** Sent lately, and known to be accepted. */
  readonly known: Request[];
}

export type Habit = (actor: Actor) => Promise<void>;

const RECENT_MAX = 50;
const BULK_TRIES = 4;
const PAUSE_MS = 300;

function remember(actor: Actor, request: Request, outcome: Outcome): void {
  actor.note([outcome]);
  keep(actor.recent, request);
  if (outcome.kind !== 'answered') return;
  keep(actor.ids, outcome.id);
  keep(actor.known, request);
  actor.requests.accepted(request, outcome.id);
}

function keep<T>(list: T[], one: T): void {
  list.push(one);
  if (list.length > RECENT_MAX) list.shift();
}

/** One request, in one of ten cases several times at once at both APIs. */
async function one(actor: Actor, request: Request): Promise<Outcome> {
  const { client, random } = actor;
  if (random.chance(0.1)) {
    const copies = random.between(2, 3);
    await Promise.all(Array.from({ length: copies }, (_, api) => client.send(request, api)));
  }
  const outcome = await client.sendSurely(request);
  remember(actor, request, outcome);
  return outcome;
}

/** Each step once the one before it has been accepted: then its order is a promise. */
async function inTurn(actor: Actor, steps: readonly Request[]): Promise<void> {
  for (const step of steps) {
    await actor.pace();
    if (actor.isOver()) return;
    const outcome = await one(actor, step);
    if (outcome.kind !== 'answered') return;
  }
}

/** A line in one request; in doubt one after the other, from the first that is, as it must be. */
async function lineInBulk(actor: Actor, items: readonly Request[]): Promise<void> {
  await actor.pace(items.length);
  if (actor.isOver()) return;
  const outcomes = await actor.client.sendBulk(items);
  for (const [index, request] of items.entries()) {
    const outcome = outcomes[index];
    if (outcome?.kind !== 'answered') {
      await inTurn(actor, items.slice(index));
      return;
    }
    remember(actor, request, outcome);
  }
}

/** Many at once, in one of ten cases at both APIs; the whole of it again while anything is in doubt. */
async function inBulk(actor: Actor, items: readonly Request[]): Promise<void> {
  const { client, random } = actor;
  await actor.pace(items.length);
  if (actor.isOver()) return;
  const copies = random.chance(0.1) ? 2 : 1;
  const both = await Promise.all(
    Array.from({ length: copies }, (_, api) =>
      copies === 1 ? client.sendBulk(items) : client.sendBulk(items, api),
    ),
  );
  let outcomes = both[0] ?? [];
  for (let tries = 1; tries < BULK_TRIES && hasDoubt(outcomes) && !actor.isOver(); tries += 1) {
    await sleep(PAUSE_MS);
    outcomes = await client.sendBulk(items);
  }
  for (const [index, request] of items.entries()) {
    const outcome = outcomes[index];
    if (outcome !== undefined) remember(actor, request, outcome);
  }
}

function hasDoubt(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(({ kind }) => kind === 'unknown');
}

/** Lines of several users, item by item in turns, each in its own order. */
function interleaved(lines: readonly (readonly Request[])[]): readonly Request[] {
  const longest = Math.max(...lines.map(({ length }) => length));
  return Array.from({ length: longest }, (_, step) =>
    lines.flatMap((line) => line[step] ?? []),
  ).flat();
}

const LINE_LENGTH = 4;
const LEAST = 6;

const someOf = ({ random, requests, bulkMax }: Actor): readonly Request[] =>
  Array.from({ length: random.between(LEAST, bulkMax) }, () => requests.any());

const someLines = ({ random, requests, bulkMax }: Actor): readonly Request[] => {
  const most = Math.max(2, Math.floor(bulkMax / LINE_LENGTH));
  const lines = Array.from({ length: random.between(2, most) }, () => requests.line());
  return interleaved(lines);
};

/** What a client does next, by weight. */
export const HABITS: readonly (readonly [number, Habit])[] = [
  [
    10,
    async (actor) => {
      await actor.pace();
      if (!actor.isOver()) await one(actor, actor.requests.any());
    },
  ],
  [3, (actor) => inTurn(actor, actor.requests.line())],
  [1, (actor) => lineInBulk(actor, actor.requests.line())],
  [2, (actor) => inBulk(actor, someOf(actor))],
  [1, (actor) => inBulk(actor, someLines(actor))],
  [
    1,
    async (actor) => {
      await actor.pace();
      await actor.client.send(actor.requests.bad());
    },
  ],
  [
    1,
    // Another request under a key that is taken.
    async ({ client, random, known, pace }) => {
      await pace();
      if (known.length === 0) return;
      const { key } = random.pick(known);
      const input = { userId: 's1', currency: 'EUR', amount: '999', description: 'not this one' };
      await client.send({ key, type: 'wallet.credit', input, purpose: { isBad: true } });
    },
  ],
  [
    2,
    async ({ client, random, recent, note, pace }) => {
      await pace();
      if (recent.length > 0) note([await client.send(random.pick(recent))]);
    },
  ],
  [
    3,
    async ({ client, random, ids, pace }) => {
      await pace();
      if (ids.length > 0) await client.read(random.pick(ids));
    },
  ],
];
