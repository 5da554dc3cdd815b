import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Client, Outcome } from './client.ts';
import { type Actor, HABITS, type Habit } from './habits.ts';
import { createRequests } from './requests.ts';

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
  /** Operations a second, of all together; repeats and looks come on top. */
  readonly rate: number;
  /** That all of them share. */
  readonly users: number;
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
export async function setUpUsers(client: Client, random: Random, users: number): Promise<void> {
  for (const round of createRequests(random, 'setup', users).setUp()) {
    await client.sendBulk(round);
    for (const request of client.unknown()) await client.sendSurely(request, SETUP_MS);
  }
  const [left] = client.unknown();
  if (left !== undefined) throw new Error(`${left.key} (${left.type}) has no answer`);
}

/** What a bulk may have at most, so that it takes no more than a part of a second's work. */
const BULK_PART = 0.5;
const BULK_LEAST = 6;
const BULK_MOST = 100;

export function startLoad(options: LoadOptions): Load {
  const { client, random, actors, rate } = options;
  const bulkMax = Math.round(Math.min(BULK_MOST, Math.max(BULK_LEAST, rate * BULK_PART)));
  const counts = { sent: 0, answered: 0, unknown: 0 };
  let isOver = false;
  let nextMs = 0;
  const pace = async (operations = 1): Promise<void> => {
    const nowMs = performance.now();
    const myMs = Math.max(nextMs, nowMs);
    nextMs = myMs + (operations * 1_000) / rate;
    await sleep(myMs - nowMs);
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
    const actor: Actor = {
      client,
      random: own,
      requests: createRequests(own, `${options.prefix}${String(index)}`, options.users),
      note,
      pace,
      isOver: () => isOver,
      bulkMax,
      recent: [],
      ids: [],
      known: [],
    };
    while (!isOver) await drawn(own)(actor);
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

function drawn(random: Random): Habit {
  let left = random.int(HABITS.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, habit] of HABITS) {
    if (left < weight) return habit;
    left -= weight;
  }
  throw new Error('the weights add up');
}
