import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Client, Outcome, Request } from './client.ts';
import { type Requests, createRequests } from './requests.ts';

/** Clients that work until they are told to stop. */
export interface Load {
  /** Lets no new request begin, and waits for those under way. */
  stop(): Promise<void>;
  counts(): LoadCounts;
}

export interface LoadCounts {
  readonly sent: number;
  readonly answered: number;
  readonly unknown: number;
}

interface LoadOptions {
  readonly client: Client;
  readonly random: Random;
  readonly actors: number;
  /** Requests a second, of all together. */
  readonly rate: number;
  /** Of their keys and of the users that they make. */
  readonly prefix: string;
  /** Operations that may be open before clients hold back: what is left at the heal has to end in time. */
  readonly openMax: number;
  /** How many are open, as last seen. */
  readonly open: () => number;
}

const SETUP_MS = 60_000;
const HOLD_BACK_MS = 100;

/** Users, money and nothing broken yet. */
export async function setUpUsers(client: Client, random: Random): Promise<void> {
  for (const round of createRequests(random, 'setup').setUp()) {
    for (const request of round) {
      const { kind } = await client.sendSurely(request, SETUP_MS);
      if (kind !== 'answered') throw new Error(`${request.key} (${request.type}) is ${kind}`);
    }
  }
}

export function startLoad(options: LoadOptions): Load {
  const { client, random, actors, rate } = options;
  const counts = { sent: 0, answered: 0, unknown: 0 };
  let isOver = false;
  let nextMs = 0;
  const pace = async (): Promise<void> => {
    const nowMs = performance.now();
    nextMs = Math.max(nextMs, nowMs) + 1_000 / rate;
    await sleep(nextMs - nowMs);
    while (!isOver && options.open() > options.openMax) await sleep(HOLD_BACK_MS);
  };
  const note = (outcomes: readonly Outcome[]): void => {
    for (const { kind } of outcomes) {
      counts.sent += 1;
      if (kind === 'answered') counts.answered += 1;
      if (kind === 'unknown') counts.unknown += 1;
    }
  };
  const act = async (index: number): Promise<void> => {
    const own = random.fork(`actor ${String(index)}`);
    const actor = {
      client,
      random: own,
      requests: createRequests(own, `${options.prefix}${String(index)}`),
      note,
      pace,
      recent: [] as Request[],
      ids: [] as string[],
      known: [] as Request[],
    };
    while (!isOver) {
      await pace();
      if (!isOver) await drawn(own)(actor);
    }
  };
  const running = Promise.all(Array.from({ length: actors }, (_, index) => act(index)));
  return Object.freeze({
    stop: async () => {
      isOver = true;
      await running;
    },
    counts: () => ({ ...counts }),
  });
}

interface Actor {
  readonly client: Client;
  readonly random: Random;
  readonly requests: Requests;
  readonly note: (outcomes: readonly Outcome[]) => void;
  readonly pace: () => Promise<void>;
  /** Sent lately, to be sent again. */
  readonly recent: Request[];
  readonly ids: string[];
  /** Sent lately, and known to be accepted. */
  readonly known: Request[];
}

type Habit = (actor: Actor) => Promise<void>;

const RECENT_MAX = 50;

function remember(actor: Actor, request: Request, outcome: Outcome): void {
  actor.note([outcome]);
  actor.recent.push(request);
  if (actor.recent.length > RECENT_MAX) actor.recent.shift();
  if (outcome.kind !== 'answered') return;
  actor.ids.push(outcome.id);
  if (actor.ids.length > RECENT_MAX) actor.ids.shift();
  actor.known.push(request);
  if (actor.known.length > RECENT_MAX) actor.known.shift();
  actor.requests.accepted(request, outcome.id);
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
    const outcome = await one(actor, step);
    if (outcome.kind !== 'answered') return;
    await actor.pace();
  }
}

async function inBulk(actor: Actor, items: readonly Request[]): Promise<void> {
  const outcomes = await actor.client.sendBulk(items);
  for (const [index, request] of items.entries()) {
    const outcome = outcomes[index];
    // In doubt: one after the other, from the first that is, so that the order stays theirs.
    if (outcome?.kind !== 'answered') {
      await inTurn(actor, items.slice(index));
      return;
    }
    remember(actor, request, outcome);
  }
}

const HABITS: readonly (readonly [number, Habit])[] = [
  [
    10,
    async (actor) => {
      await one(actor, actor.requests.any());
    },
  ],
  [3, (actor) => inTurn(actor, actor.requests.line())],
  [1, (actor) => inBulk(actor, actor.requests.line())],
  [
    2,
    (actor) =>
      inBulk(
        actor,
        Array.from({ length: 6 }, () => actor.requests.any()),
      ),
  ],
  [
    1,
    async (actor) => {
      await actor.client.send(actor.requests.bad());
    },
  ],
  [
    1,
    // Another request under a key that is taken.
    async ({ client, random, known }) => {
      if (known.length === 0) return;
      const { key } = random.pick(known);
      const input = { userId: 's1', currency: 'EUR', amount: '999', description: 'not this one' };
      await client.send({ key, type: 'wallet.credit', input, purpose: { isBad: true } });
    },
  ],
  [
    2,
    async ({ client, random, recent, note }) => {
      if (recent.length > 0) note([await client.send(random.pick(recent))]);
    },
  ],
  [
    3,
    async ({ client, random, ids }) => {
      if (ids.length > 0) await client.read(random.pick(ids));
    },
  ],
];

function drawn(random: Random): Habit {
  let left = random.int(HABITS.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, habit] of HABITS) {
    if (left < weight) return habit;
    left -= weight;
  }
  throw new Error('the weights add up');
}
