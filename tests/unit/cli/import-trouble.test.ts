import { describe, expect, it } from 'vitest';
import { createApiClient } from '../../../cli/api-client.ts';
import { CliError, EXIT, InterruptedError } from '../../../cli/exit.ts';
import { isSuccess } from '../../../cli/import/report.ts';
import { createImport } from '../../../cli/import/run.ts';
import { TEST_KEY, startBulkServer } from './bulk-server.ts';
import { fileOf, importOf, keysOf, linesOf, owned, run, serve } from './import-setup.ts';

describe('when the server is in trouble', () => {
  it('waits as long as Retry-After says', async () => {
    const at: number[] = [];
    const server = await serve({
      instead: (request) => {
        at.push(performance.now());
        if (request === 1) return { status: 503, headers: { 'retry-after': '1' } };
        return request === 2 ? { status: 429, headers: { 'retry-after': '0.4' } } : undefined;
      },
    });
    const summary = await run(server, fileOf(linesOf(5)));
    expect(summary).toMatchObject({ new: 5, succeeded: 5 });
    const [first = 0, second = 0, third = 0] = at;
    expect(second - first).toBeGreaterThan(990);
    expect(third - second).toBeGreaterThan(390);
  });

  it.each(['-3', '0', 'Sun, 06 Nov 1994 08:49:37 GMT', 'soon', ''])(
    'is not hammered for a Retry-After that asks for nothing: "%s"',
    async (patience) => {
      const waits: number[] = [];
      const { url } = await serve({
        instead: (request) =>
          request <= 40 ? { status: 503, headers: { 'retry-after': patience } } : undefined,
      });
      const client = createApiClient({
        connection: { url, key: TEST_KEY, hint: '' },
        retry: {
          forMs: 600_000,
          signal: new AbortController().signal,
          onWait: (_reason, waitMs) => waits.push(waitMs),
          clock: { monotonicMs: () => 0, sleep: async () => Promise.resolve() },
        },
        firstAnswerMs: 600_000,
      });
      await client.send({ method: 'POST', path: '/v1/operations/bulk', body: '{"items":[]}' });
      expect(waits).toHaveLength(40);
      // Each drawn from up to 5 s by then.
      expect(Math.max(...waits.slice(10))).toBeGreaterThan(500);
    },
  );

  it('repeats what got no answer, and nothing happens twice', async () => {
    const server = await serve({
      instead: (request) => (request % 3 === 1 ? 'drop' : undefined),
      loseAnswer: (request) => request % 3 === 2,
    });
    const summary = await run(server, fileOf(linesOf(3_000)), { retryForMs: 20_000 });
    expect(summary).toMatchObject({ lines: 3_000, new: 0, known: 3_000, succeeded: 3_000 });
    expect(keysOf(server)).toEqual(Array.from({ length: 3_000 }, (_, n) => `k${n}`));
  });

  it('sends only those items again that could not be taken', async () => {
    const server = await serve({
      judge: ({ input }) => {
        const isEven = (input as { n: number }).n % 2 === 0;
        return isEven && server.requests.length === 1
          ? { refuse: 503, code: 'ledger_unavailable' }
          : { settles: 'succeeded' };
      },
    });
    const summary = await run(server, fileOf(linesOf(10)));
    expect(summary).toMatchObject({ new: 10, succeeded: 10 });
    expect(server.requests.map(({ items }) => items)).toEqual([10, 5]);
  });

  it('survives a restart of the server', async () => {
    const first = await serve({ instead: (request) => (request > 2 ? 'drop' : undefined) });
    const file = fileOf(linesOf(5_000));
    const work = importOf(first, file, { retryForMs: 20_000 });
    const running = work.run();
    while (first.requests.length < 3) await new Promise((resolve) => setImmediate(resolve));
    await first.close();
    const second = await startBulkServer({}, { port: first.port, known: first.accepted });
    owned(second);
    await running;
    expect(work.tally).toMatchObject({ lines: 5_000, succeeded: 5_000 });
    expect(keysOf(second)).toEqual(Array.from({ length: 5_000 }, (_, n) => `k${n}`));
  });

  it('gives up after the time it was given', async () => {
    const server = await serve({ instead: (request) => (request > 1 ? 'drop' : undefined) });
    const work = run(server, fileOf(linesOf(2_000)), { retryForMs: 400 });
    await expect(work).rejects.toMatchObject({ exitCode: EXIT.gaveUp });
    await expect(work).rejects.toThrow('gave up after');
    expect(server.accepted).toHaveLength(1_000);
  });

  it('gives up at once when it is asked to wait longer than that', async () => {
    const server = await serve({
      instead: () => ({ status: 503, headers: { 'retry-after': '3600' } }),
    });
    const startedAt = performance.now();
    await expect(run(server, fileOf(linesOf(1)))).rejects.toThrow('asks to wait 1:00:00');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('says what to do when nothing has ever answered there', async () => {
    const gone = await serve();
    await gone.close();
    const work = run(gone, fileOf(linesOf(1)), { firstAnswerMs: 300 });
    await expect(work).rejects.toThrow(`Nothing answers at ${gone.url}. Hint.`);
  });

  it('stops at once when the key is not accepted', async () => {
    const server = await serve();
    const connection = { url: server.url, key: 'slk_wrong_bbbbbbbbbbbbbbbb', hint: '' };
    const options = {
      file: fileOf(linesOf(1)),
      chunkItems: 10,
      windowIds: 1_000,
      retryForMs: 1_000,
      firstAnswerMs: 1_000,
      settleForMs: 1_000,
      waits: true,
    };
    const signal = new AbortController().signal;
    await expect(createImport(options, { connection, signal }).run()).rejects.toMatchObject({
      exitCode: EXIT.usage,
    });
  });

  it('does not take another server for ours', async () => {
    const server = await serve({ instead: () => ({ status: 200, body: '<html>' }) });
    await expect(run(server, fileOf(linesOf(1)))).rejects.toThrow(
      'nothing that a Sluice API would',
    );
  });
});

describe('waiting for the outcome', () => {
  it('keeps a bounded number of operations outstanding', async () => {
    const server = await serve({ looksBeforeSettled: 2 });
    const progress: number[] = [];
    const summary = await run(server, fileOf(linesOf(3_000)), {
      chunkItems: 100,
      windowIds: 400,
      onProgress: ({ outstanding }) => progress.push(outstanding),
    });
    expect(summary.succeeded).toBe(3_000);
    expect(server.openMax).toBeLessThanOrEqual(400);
    expect(Math.max(...progress)).toBeLessThanOrEqual(400);
  });

  it('gives up when nothing settles any more', async () => {
    const server = await serve({ looksBeforeSettled: Infinity });
    const work = run(server, fileOf(linesOf(30)), { settleForMs: 500 });
    await expect(work).rejects.toThrow('30 accepted operations are not settled yet');
    await expect(work).rejects.toMatchObject({ exitCode: EXIT.gaveUp });
  });

  it('can be left out', async () => {
    const server = await serve({ looksBeforeSettled: Infinity });
    const summary = await run(server, fileOf(linesOf(30)), { waits: false });
    expect(summary).toMatchObject({ new: 30, succeeded: 0, unsettled: 30 });
    expect(isSuccess(summary)).toBe(true);
  });
});

describe('an interruption', () => {
  it('ends the import, and the next one continues where it stopped', async () => {
    const stopping = new AbortController();
    const server = await serve({
      instead: (request) => {
        if (request === 3) stopping.abort(new InterruptedError());
        return undefined;
      },
    });
    const file = fileOf(linesOf(5_000));
    const work = importOf(server, file, { signal: stopping.signal });
    await expect(work.run()).rejects.toThrow(InterruptedError);
    expect(work.tally.fresh).toBe(2_000);
    const again = await run(server, file);
    expect(again.known + again.new).toBe(5_000);
    expect(again.known).toBeGreaterThanOrEqual(2_000);
    expect(keysOf(server)).toEqual(Array.from({ length: 5_000 }, (_, n) => `k${n}`));
  });

  it('ends it while it waits for the outcome, too', async () => {
    const stopping = new AbortController();
    const server = await serve({ looksBeforeSettled: Infinity });
    const work = importOf(server, fileOf(linesOf(10)), {
      signal: stopping.signal,
      onProgress: ({ outstanding }) => {
        if (outstanding === 10) stopping.abort(new InterruptedError());
      },
    });
    await expect(work.run()).rejects.toBeInstanceOf(CliError);
  });
});
