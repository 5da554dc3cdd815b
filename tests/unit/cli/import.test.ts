import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../cli/exit.ts';
import { exitCodeOf, isSuccess, summaryLines } from '../../../cli/import/report.ts';
import type { BulkServer } from './bulk-server.ts';
import {
  fileOf,
  here,
  importOf,
  keysOf,
  lineOf,
  linesOf,
  refusedIn,
  run,
  serve,
} from './import-setup.ts';

describe('an import', () => {
  it('sends every line once, in order, in chunks within the limits, and waits', async () => {
    const server = await serve({ looksBeforeSettled: 1 });
    const summary = await run(server, fileOf(linesOf(2_500)));
    expect(summary).toMatchObject({ lines: 2_500, new: 2_500, known: 0, succeeded: 2_500 });
    expect(isSuccess(summary)).toBe(true);
    expect(keysOf(server)).toEqual(Array.from({ length: 2_500 }, (_, n) => `k${n}`));
    expect(server.requests.map(({ items }) => items)).toEqual([1_000, 1_000, 500]);
    expect(existsSync(join(here(), 'ops.ndjson.refused.ndjson'))).toBe(false);
  });

  it('keeps a request below 1 MB', async () => {
    const server = await serve();
    const text = 'x'.repeat(300_000);
    const lines = [1, 2, 3, 4, 5, 6, 7].map((n) => lineOf(n, { input: { text } }));
    await run(server, fileOf(lines));
    expect(server.accepted).toHaveLength(7);
    expect(Math.max(...server.requests.map(({ bytes }) => bytes))).toBeLessThan(1_000_000);
  });

  it('changes nothing the second time, and says so', async () => {
    const server = await serve();
    const file = fileOf(linesOf(1_200));
    await run(server, file);
    const again = await run(server, file);
    expect(server.accepted).toHaveLength(1_200);
    expect(again).toMatchObject({ new: 0, known: 1_200, succeeded: 1_200 });
    expect(summaryLines(again)).toContain(
      'nothing changed: all 1,200 operations were already known',
    );
    expect(isSuccess(again)).toBe(true);
  });

  it('reads CSV', async () => {
    const server = await serve();
    const file = fileOf(['type,idempotencyKey,userId,amount', 'wallet.credit,a,ann,012'], 'x.csv');
    await run(server, file);
    expect(server.accepted[0]?.item).toEqual({
      type: 'wallet.credit',
      idempotencyKey: 'a',
      input: { userId: 'ann', amount: '012' },
    });
  });
});

describe('a key that stands twice in a file', () => {
  it.each(['succeeded', 'rejected'])(
    'is one new and one known, and both are %s',
    async (settles) => {
      const server = await serve({
        looksBeforeSettled: 2,
        judge: () => ({ settles, ...(settles === 'rejected' && { code: 'user_exists' }) }),
      });
      const file = fileOf([lineOf(1), lineOf(2), lineOf(1)]);
      const summary = await run(server, file);
      expect(summary).toMatchObject({ new: 2, known: 1, unsettled: 0 });
      const isGood = settles === 'succeeded';
      expect(summary.succeeded).toBe(isGood ? 3 : 0);
      expect(summary.rejected).toEqual(isGood ? {} : { user_exists: 3 });
      if (!isGood) expect(refusedIn(`${file}.refused.ndjson`)).toHaveLength(3);
    },
  );
});

describe('a file under the name of an earlier one', () => {
  const credit = (userId: string, amount: number): string =>
    JSON.stringify({ type: 'wallet.credit', input: { userId, amount: String(amount) } });
  const february = [credit('ann', 100), credit('bob', 200), credit('cid', 300)];
  const march = [credit('ann', 100), credit('bob', 250), credit('cid', 300)];

  it('is told loudly, and by its exit code, that its equal lines were not done', async () => {
    const server = await serve();
    await run(server, fileOf(february));
    const summary = await run(server, fileOf(march));
    expect(summary).toMatchObject({ new: 1, known: 2, taken: 2 });
    expect(exitCodeOf(summary)).toBe(EXIT.partlyKnown);
    expect(summaryLines(summary).join('\n')).toMatch(/2 lines .* NOT done again.*--key-prefix/s);
  });

  it('is told so when only its first lines are equal, too', async () => {
    const server = await serve();
    await run(server, fileOf(february));
    const summary = await run(server, fileOf(february.with(2, credit('cid', 301))));
    expect(exitCodeOf(summary)).toBe(EXIT.partlyKnown);
  });

  it('is told how to do it all the same when every line is equal', async () => {
    const server = await serve();
    await run(server, fileOf(february));
    const summary = await run(server, fileOf(february));
    expect(exitCodeOf(summary)).toBe(EXIT.ok);
    expect(summaryLines(summary).join('\n')).toContain('--key-prefix');
  });

  it('is no hint when the lines name their keys themselves', async () => {
    const server = await serve();
    await run(server, fileOf([lineOf(1)]));
    expect(exitCodeOf(await run(server, fileOf([lineOf(1), lineOf(2)])))).toBe(EXIT.ok);
  });

  it('is no hint when the run of that very file was cut short', async () => {
    const server = await serve({ instead: (request) => (request === 2 ? 'drop' : undefined) });
    const file = fileOf(february);
    await expect(run(server, file, { chunkItems: 1, retryForMs: 0 })).rejects.toThrow('gave up');
    const summary = await run(server, file);
    expect(summary).toMatchObject({ new: 2, known: 1 });
    expect(exitCodeOf(summary)).toBe(EXIT.ok);
    expect(readdirSync(here())).toEqual(['ops.ndjson']);
  });

  it('is no hint when an answer of a first run is lost', async () => {
    const server = await serve({ loseAnswer: (request) => request === 1 });
    const summary = await run(server, fileOf(february), { chunkItems: 2 });
    expect(summary).toMatchObject({ new: 1, known: 2, taken: 0 });
    expect(exitCodeOf(summary)).toBe(EXIT.ok);
  });

  it('is one when the run that was cut short was that of another content', async () => {
    const server = await serve({ instead: (request) => (request === 2 ? 'drop' : undefined) });
    const first = run(server, fileOf(february), { chunkItems: 1, retryForMs: 0 });
    await expect(first).rejects.toThrow('gave up');
    const summary = await run(server, fileOf([...march, credit('dan', 4)]));
    expect(exitCodeOf(summary)).toBe(EXIT.partlyKnown);
    expect(summaryLines(summary).join('\n')).toMatch(/earlier file .* cut short/);
  });

  it('is one when its own run is cut short after such lines, and gone on with', async () => {
    const server = await serve({ instead: (request) => (request === 4 ? 'drop' : undefined) });
    await run(server, fileOf(february));
    const file = fileOf([credit('ann', 100), credit('bob', 250), credit('dan', 4)]);
    await expect(run(server, file, { chunkItems: 1, retryForMs: 0 })).rejects.toThrow('gave up');
    const summary = await run(server, file);
    expect(summary).toMatchObject({ new: 1, newBefore: 1, known: 2, taken: 1, resumed: true });
    expect(exitCodeOf(summary)).toBe(EXIT.partlyKnown);
  });

  it('is one when such lines come behind the place where its own run was cut short', async () => {
    const server = await serve({ instead: (request) => (request === 3 ? 'drop' : undefined) });
    await run(server, fileOf(february));
    const file = fileOf(march.with(0, credit('ann', 101)));
    await expect(run(server, file, { chunkItems: 1, retryForMs: 0 })).rejects.toThrow('gave up');
    const summary = await run(server, file);
    expect(summary).toMatchObject({ new: 1, known: 2, taken: 1, resumed: true });
    expect(exitCodeOf(summary)).toBe(EXIT.partlyKnown);
  });
});

describe('keys that the importer makes', () => {
  const bare = JSON.stringify({ type: 'wallet.credit', input: { n: 1 } });
  const keyOf = (prefix: string, line: number): string =>
    `import-${createHash('sha256').update(`${prefix}\n${line}\n${bare}`).digest('hex')}`;

  it('follow from the file name, the line number and the line', async () => {
    const server = await serve();
    const file = fileOf([bare, bare]);
    await run(server, file);
    expect(keysOf(server)).toEqual([keyOf('ops.ndjson', 1), keyOf('ops.ndjson', 2)]);
    const again = await run(server, file);
    expect(again.known).toBe(2);
  });

  it('follow from --key-prefix when it is given', async () => {
    const server = await serve();
    await run(server, fileOf([bare]), { keyPrefix: 'march' });
    expect(keysOf(server)).toEqual([keyOf('march', 1)]);
  });

  it('need a prefix when the source has no name', async () => {
    const server = await serve();
    const stdin = (): Readable => Readable.from([Buffer.from(`${bare}\n`)]);
    const refusedPath = join(here(), 'r.refused.ndjson');
    const nameless = run(server, '-', { stdin: stdin(), refusedPath });
    await expect(nameless).rejects.toThrow('--key-prefix');
    await expect(nameless).rejects.toMatchObject({ exitCode: EXIT.usage });
    await run(server, '-', { stdin: stdin(), keyPrefix: 'march', refusedPath });
    expect(keysOf(server)).toEqual([keyOf('march', 1)]);
  });
});

describe('lines that do not succeed', () => {
  it('are refused one by one, with the reason, while the rest goes on', async () => {
    const server = await serve({
      judge: ({ input }) => {
        const { n } = input as { n: number };
        if (n === 3) return { refuse: 400, code: 'invalid_request', pointer: '/input/amount' };
        if (n === 4) return { settles: 'rejected', code: 'insufficient_funds' };
        return n === 5 ? { refuse: 409, code: 'idempotency_conflict' } : { settles: 'succeeded' };
      },
    });
    const file = fileOf([...linesOf(6), 'not json', '[1]', '', 'x'.repeat(1_100_000), lineOf(7)]);
    const summary = await run(server, file);
    expect(summary).toMatchObject({
      lines: 10,
      new: 5,
      succeeded: 4,
      rejected: { insufficient_funds: 1 },
      refused: {
        invalid_request: 2,
        idempotency_conflict: 1,
        invalid_json: 1,
        body_too_large: 1,
      },
    });
    expect(isSuccess(summary)).toBe(false);
    const refused = refusedIn(`${file}.refused.ndjson`);
    expect(refused).toHaveLength(6);
    expect(refused).toContainEqual({
      line: 4,
      code: 'invalid_request',
      detail: 'it is wrong',
      pointer: '/input/amount',
      original: lineOf(3),
    });
    expect(refused).toContainEqual({
      line: 5,
      code: 'insufficient_funds',
      detail: 'because',
      operationId: server.accepted[3]?.id,
      original: lineOf(4),
    });
    expect(refused).toContainEqual(expect.objectContaining({ line: 7, original: 'not json' }));
  });

  it('are told again when the file is imported again', async () => {
    const server = await serve({ judge: () => ({ settles: 'rejected', code: 'user_exists' }) });
    const file = fileOf(linesOf(3));
    const first = await run(server, file);
    const second = await run(server, file);
    expect(first.rejected).toEqual({ user_exists: 3 });
    expect(second).toMatchObject({ known: 3, rejected: { user_exists: 3 } });
    expect(refusedIn(`${file}.refused.ndjson`)).toHaveLength(3);
  });

  it('leave no file behind once they succeed', async () => {
    const server = await serve();
    const file = fileOf(linesOf(3));
    writeFileSync(`${file}.refused.ndjson`, 'of an earlier run\n');
    await run(server, file);
    expect(existsSync(`${file}.refused.ndjson`)).toBe(false);
  });

  it('are found when one of them spoils its whole request', async () => {
    const spoilt = new Set([17, 18, 999]);
    const server = await serve({
      judge: ({ input }) =>
        spoilt.has((input as { n: number }).n) ? 'spoils' : { settles: 'succeeded' },
    });
    const summary = await run(server, fileOf(linesOf(1_000)));
    expect(summary).toMatchObject({ new: 997, refused: { too_deep: 3 } });
    const expected = linesOf(1_000).map((_, n) => `k${n}`);
    expect(keysOf(server)).toEqual(expected.filter((_, n) => !spoilt.has(n)));
  });

  it('may not be written over the file itself', () => {
    const file = fileOf(linesOf(1), 'a.refused.ndjson');
    const server = { url: 'http://127.0.0.1:1' } as BulkServer;
    expect(() => importOf(server, file, { refusedPath: file })).toThrow('cannot go into');
    expect(existsSync(file)).toBe(true);
  });
});

describe('names for earlier lines', () => {
  it('are replaced by the ids that the server chose, as soon as it has', async () => {
    const server = await serve();
    const lines = [
      lineOf(1, { ref: 'card' }),
      lineOf(2),
      lineOf(3, { input: { holdId: '{{ref:card.holdId}}' } }),
      lineOf(4, { input: { holdId: '{{ref:card.holdId}}' } }),
    ];
    const summary = await run(server, fileOf(lines));
    expect(summary.succeeded).toBe(4);
    const holdId = `hld_${server.accepted[0]?.id.slice(3) ?? ''}`;
    expect(server.accepted.map(({ item }) => item)).toMatchObject([
      { idempotencyKey: 'k1' },
      {},
      { input: { holdId } },
      { input: { holdId } },
    ]);
    expect(server.accepted[0]?.item).not.toHaveProperty('ref');
    expect(server.requests.map(({ items }) => items)).toEqual([2, 2]);
  });

  it('stay the same when the file is imported again', async () => {
    const server = await serve();
    const file = fileOf([
      lineOf(1, { ref: 'a' }),
      lineOf(2, { input: { id: '{{ref:a.transferId}}' } }),
    ]);
    await run(server, file);
    expect((await run(server, file)).known).toBe(2);
  });

  it('refuse the lines that use a refused one', async () => {
    const server = await serve({
      judge: ({ idempotencyKey }) =>
        idempotencyKey === 'k1'
          ? { refuse: 400, code: 'invalid_request' }
          : { settles: 'succeeded' },
    });
    const lines = [lineOf(1, { ref: 'a' }), lineOf(2, { input: { id: '{{ref:a.holdId}}' } })];
    const summary = await run(server, fileOf(lines));
    expect(summary).toMatchObject({ new: 0, refused: { invalid_request: 1, unknown_ref: 1 } });
  });
});
