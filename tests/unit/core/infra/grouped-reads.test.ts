import { describe, expect, it } from 'vitest';
import {
  type Give,
  type GroupedReadsOptions,
  type ReadKey,
  createGroupedReads,
} from '../../../../core/infra/reads/grouped-reads.ts';

const QUICKLY = { interval: 2 };
const keyOf = (id: string, tenantId = 't'): ReadKey => ({ tenantId, id });
const open = (options: Partial<GroupedReadsOptions<string>>) =>
  createGroupedReads<string>({
    sizeMax: 64,
    inFlightMax: 1,
    waitingMax: 1_000,
    deadlineMs: 2_000,
    idCharsMax: 100,
    load: async () => undefined,
    ...options,
  });

/** Look-ups that the test answers when it likes. */
function byHand() {
  const begun: { keys: readonly ReadKey[]; give: Give<string>; end: () => void }[] = [];
  const load = (keys: readonly ReadKey[], give: Give<string>): Promise<void> =>
    new Promise((resolve) => {
      begun.push({ keys, give, end: resolve });
    });
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return { begun, load, turn };
}

describe('grouped reads', () => {
  it('look concurrent keys up together, each once, and tell who has nothing', async () => {
    const sizes: number[] = [];
    const reads = open({
      onGroup: (size) => sizes.push(size),
      load: async (keys, give) => {
        for (const key of keys) if (key.id !== 'none') give(key, `of ${key.tenantId}/${key.id}`);
      },
    });
    const asked = ['a', 'b', 'a', 'none'].map((id) => reads.read(keyOf(id)));
    expect(await Promise.all(asked)).toEqual(['of t/a', 'of t/b', 'of t/a', undefined]);
    expect(sizes).toEqual([3]);
  });

  it('never give one tenant what the other has under the same id', async () => {
    const load = async (keys: readonly ReadKey[], give: Give<string>) => {
      for (const key of keys) if (key.tenantId === 'a') give(key, 'secret');
      give(keyOf('nobody', 'c'), 'of nobody');
    };
    const reads = open({ load });
    const [own, others] = await Promise.all([
      reads.read(keyOf('w', 'a')),
      reads.read(keyOf('w', 'b')),
    ]);
    expect([own, others]).toEqual(['secret', undefined]);
  });

  it('never join a look-up that has begun', async () => {
    const { begun, load, turn } = byHand();
    const reads = open({ load });
    const first = reads.read(keyOf('a'));
    await turn();
    const second = reads.read(keyOf('a'));
    begun[0]?.give(keyOf('a'), 'old');
    begun[0]?.end();
    expect(await first).toBe('old');
    await expect.poll(() => begun.length, QUICKLY).toBe(2);
    begun[1]?.give(keyOf('a'), 'new');
    expect(await second).toBe('new');
  });

  it('hand over what has come before the rest is there', async () => {
    const { begun, load, turn } = byHand();
    const reads = open({ load });
    const asked = [reads.read(keyOf('a')), reads.read(keyOf('b'))];
    await turn();
    begun[0]?.give(keyOf('a'), 'here');
    expect(await asked[0]).toBe('here');
    begun[0]?.end();
    expect(await asked[1]).toBeUndefined();
  });

  it('are no larger than they may be, and begin again with what is left', async () => {
    const sizes: number[] = [];
    const reads = open({ sizeMax: 10, onGroup: (size) => sizes.push(size) });
    await Promise.all(Array.from({ length: 25 }, (_, index) => reads.read(keyOf(String(index)))));
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('tell everybody of a failure, and go on', async () => {
    let fails = true;
    const load = () => (fails ? Promise.reject(new Error('away')) : Promise.resolve());
    const reads = open({ load });
    const outcomes = await Promise.allSettled(['a', 'b'].map((id) => reads.read(keyOf(id))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await reads.read(keyOf('a'))).toBeUndefined();
  });

  it('wait for nobody beyond the deadline, whether the look-up has begun or not', async () => {
    const { begun, load } = byHand();
    const reads = open({ load, deadlineMs: 200, sizeMax: 1 });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((id) => reads.read(keyOf(id))));
    const late = expect.objectContaining({ code: 'ledger_unavailable' });
    expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: late })));
    // What hangs holds up nobody who comes later.
    const later = reads.read(keyOf('d'));
    await expect.poll(() => begun.at(-1)?.keys, QUICKLY).toEqual([keyOf('d')]);
    begun.at(-1)?.give(keyOf('d'), 'there');
    expect(await later).toBe('there');
  });

  it('turn away who is one too many, and look for nothing that cannot be', async () => {
    const { begun, load } = byHand();
    const reads = open({ load, waitingMax: 2 });
    const waiting = [reads.read(keyOf('a')), reads.read(keyOf('b'))];
    await expect(reads.read(keyOf('c'))).rejects.toMatchObject({ code: 'ledger_unavailable' });
    expect(await reads.read(keyOf('x'.repeat(101)))).toBeUndefined();
    await expect.poll(() => begun.length, QUICKLY).toBe(1);
    begun[0]?.end();
    await Promise.all(waiting);
  });
});
