import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/tidy/tree.ts';
import { judge } from './checker/check.ts';
import { type Minimum, NOTHING_YET, countsOf } from './checker/enough.ts';
import { SCHEDULES, minimumFor, planOf } from './schedules.ts';
import { type ChaosStage, openChaosStage } from './stage.ts';

const BOUND_MS = 45_000;
const LOAD = { rate: 40, actors: 8, openMax: 80, keepGoing: true } as const;

/** Ten hazards, one after the other, on one cluster of twelve real processes. */
let stage: ChaosStage;
let folder: string;
let before: Minimum = NOTHING_YET;
/** What an earlier schedule has broken is not the later one's. */
const known = new Set<string>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-chaos-'));
  stage = await openChaosStage({
    ...{
      seed: 'schedules',
      out: folder,
      tree: ROOT,
      timing: 'quick',
      users: 16,
      boundMs: BOUND_MS,
    },
    log: () => undefined,
    signal: new AbortController().signal,
  });
}, 180_000);

afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('nothing is lost, doubled, late or out of order', { timeout: 180_000 }, () => {
  it.each(SCHEDULES)('when $summary ($name)', async (schedule) => {
    const { name } = schedule;
    const { faults } = await stage.breakThings(planOf(schedule), { ...LOAD, prefix: `${name}-` });
    const settling = await stage.comeToRest({ boundMs: BOUND_MS, isCrippled: false });
    const evidence = await stage.evidence(settling, faults);
    const { violations, shortfalls } = judge(evidence, minimumFor(schedule), before);
    before = countsOf(evidence);
    const found = violations.map(({ rule, subject, detail }) => `${rule}: ${subject}: ${detail}`);
    const fresh = found.filter((text) => !known.has(text));
    for (const text of found) known.add(text);
    expect(fresh, `again: npm run chaos -- --schedule ${name}`).toEqual([]);
    expect(shortfalls, 'too little was done').toEqual([]);
  });
});
