import { openMongo } from '../../../core/infra/mongo.ts';
import { verifyLedger } from '../../../core/ledger/verify/verify-store.ts';
import { ledgerRules } from '../../../core/operation-types/ledger-rules.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { z } from 'zod';
import { createApiClient } from '../../../cli/api-client.ts';
import { currencyLines, verdictOf } from '../../../cli/commands/ledger.ts';
import type { Connection } from '../../../cli/connection.ts';
import { formatCount, formatTable } from '../../../cli/format.ts';
import {
  createProgressLine,
  isSuccess,
  summarize,
  summaryLines,
} from '../../../cli/import/report.ts';
import { createImport } from '../../../cli/import/run.ts';
import { formatSeconds, type Log } from '../servers/report.ts';

export interface SampleContext {
  readonly connection: Connection;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const MINUTES_2 = 120_000;
const PLAIN_EVERY_MS = 5_000;

/** Submits the sample as `sluice import` does, and says what became of it. */
export async function submitSample(
  file: string,
  refusedPath: string,
  { connection, log, signal }: SampleContext,
): Promise<void> {
  const progressLine = createProgressLine();
  const startedMs = performance.now();
  let saidMs = startedMs;
  const work = createImport(
    {
      file,
      refusedPath,
      chunkItems: 1_000,
      windowIds: 20_000,
      retryForMs: MINUTES_2,
      firstAnswerMs: MINUTES_2,
      settleForMs: MINUTES_2,
      waits: true,
    },
    {
      connection,
      signal,
      onProgress: (progress) => {
        progressLine.sample(progress);
        if (log.live !== undefined) {
          log.live(progressLine.text(progress));
        } else if (performance.now() - saidMs > PLAIN_EVERY_MS) {
          saidMs = performance.now();
          log(`  ${progressLine.text(progress)}`);
        }
      },
    },
  );
  await work.run();
  const elapsedMs = performance.now() - startedMs;
  const { tally, refused, earlier, isAfterAnother } = work;
  const summary = summarize({ ...{ file, tally, refused, earlier, isAfterAnother }, elapsedMs });
  if (summary.new === 0 && isSuccess(summary)) {
    const count = formatCount(summary.known);
    log(`• sample: there already, nothing changed (${count} operations, all known)`);
    return;
  }
  const speed = `${formatCount(summary.perSecond)}/s from file to ledger`;
  log(`• sample: ${formatCount(summary.lines)} operations settled … ${formatSeconds(elapsedMs)}`);
  if (isSuccess(summary)) log(`  ${formatCount(summary.succeeded)} succeeded, ${speed}`);
  else for (const line of summaryLines(summary)) log(`  ${line}`);
}

const walletsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      currency: z.string(),
      balance: z.string(),
      bonusBalance: z.string(),
      lockedBalance: z.string(),
      available: z.string(),
    }),
  ),
});

/** Asks the API what some users own now. */
export async function showBalances(
  userIds: readonly string[],
  { connection, log, signal }: SampleContext,
): Promise<void> {
  const retry = { forMs: 10_000, signal, onWait: () => undefined };
  const client = createApiClient({ connection, retry, firstAnswerMs: 10_000 });
  const rows: string[][] = [];
  for (const userId of userIds) {
    const path = `/v1/users/${encodeURIComponent(userId)}/wallets`;
    const reply = await client.send({ method: 'GET', path });
    for (const wallet of walletsSchema.safeParse(reply.body).data?.items ?? []) {
      const { currency, balance, bonusBalance, lockedBalance, available } = wallet;
      const amounts = [balance, bonusBalance, lockedBalance, available].map((amount) =>
        formatCount(BigInt(amount)),
      );
      rows.push([userId, currency, ...amounts]);
    }
  }
  if (rows.length === 0) return;
  const head = ['user (minor units)', '', 'balance', 'bonus', 'locked', 'available'];
  for (const line of formatTable([head, ...rows])) log(`  ${line}`);
}

/** A ledger of years takes minutes, and nobody has asked: what is not done by then is left. */
const VERIFY_MS_MAX = 15_000;

/** Recomputes the whole ledger, if that is soon done: every sum has to be zero. */
export async function showConservation(
  { url, database }: { readonly url: string; readonly database: string },
  { log, signal }: Pick<SampleContext, 'log' | 'signal'>,
  msMax = VERIFY_MS_MAX,
): Promise<void> {
  const soon = AbortSignal.timeout(msMax);
  const mongo = await openMongo({ url, database, appName: 'sluice-up-verify' });
  try {
    const rules = ledgerRules(OPERATIONS);
    const report = await verifyLedger(mongo.db, { rules, signal: AbortSignal.any([signal, soon]) });
    const entries = formatCount(report.counts.entries);
    const seconds = formatSeconds(report.elapsedMs);
    const count = formatCount(report.violationCount);
    const verdict = {
      sound: 'sound',
      violated: `${count} VIOLATIONS: npx sluice ledger verify`,
      nothing: 'nothing in it',
    }[verdictOf(report)];
    log(`• ledger: recomputed from ${entries} entries, ${verdict} … ${seconds}`);
    for (const line of currencyLines(report.currencies)) log(`  ${line}`);
  } catch (error) {
    if (!soon.aborted || signal.aborted) throw error;
    const limit = formatSeconds(msMax);
    log(`• ledger: large, so not recomputed in the ${limit} for it: npx sluice ledger verify`);
  } finally {
    await mongo.close();
  }
}
