import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { openApiDocument } from '../../../api/openapi/document.ts';
import { ENDPOINTS } from '../../../api/routes/index.ts';
import { ADMIN_KEY, useApi } from '../../support/api.ts';
import { contractBreach } from '../../support/contract.ts';
import { type FuzzRequest, requestsOf } from '../../support/fuzz/requests.ts';
import { type Sample, makeSample } from '../../support/http-fixtures.ts';

/** `FUZZ_RUNS=50000 FC_SEED=7 npm test -- tests/http/fuzz` looks further. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1_500);
const SEED = Number(process.env['FC_SEED'] ?? 20_260_301);
const AT_ONCE = 6;
const BATCH = 500;
/** Without what a request itself asked to wait for. */
const HANG_MS = 2_000;
const NEVER_MS = 20_000;

const api = useApi({ worker: true });
let sample: Sample;

beforeAll(async () => {
  sample = await makeSample(api);
});

interface Outcome {
  readonly status: number;
  readonly code: string | undefined;
  readonly ms: number;
  readonly breach: string | undefined;
}

async function send(request: FuzzRequest, key: string): Promise<Outcome> {
  const { method, path, headers, body, waitSeconds } = request;
  const startedMs = performance.now();
  const response = await fetch(`${api.url}${path}`, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'idempotency-key': key, ...headers },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(NEVER_MS),
  });
  const text = await response.text();
  const answer = { status: response.status, headers: response.headers, text };
  // As the server got it: what an address may not have was taken out on the way.
  const { pathname } = new URL(`${api.url}${path}`);
  return {
    status: response.status,
    code: /"code":"(\w+)"/.exec(text)?.[1],
    ms: performance.now() - startedMs - waitSeconds * 1_000,
    breach: contractBreach(method, pathname, answer),
  };
}

/** What is slow once, in a moment when everything was, is looked at again by itself. */
async function sendTwiceIfSlow(request: FuzzRequest, key: string): Promise<Outcome> {
  const outcome = await send(request, key);
  if (outcome.ms <= HANG_MS) return outcome;
  const again = await send(request, key);
  return { ...outcome, ms: again.ms };
}

/** That something which is asked about is not ready is an answer, and no failure. */
const isUnready = (path: string, status: number): boolean =>
  path.startsWith('/readyz') && status === 503;

function wrongWith({ status, ms, breach }: Outcome, { path }: FuzzRequest): string | undefined {
  if (status >= 500 && !isUnready(path, status)) return `answered ${status}`;
  if (ms > HANG_MS) return `took ${Math.round(ms)} ms`;
  return breach;
}

it(
  `${RUNS} requests out of the reference are answered as it says, and what is refused does nothing`,
  async () => {
    const ids = {
      operations: sample.creditId,
      users: sample.userId,
      wallets: sample.walletId,
      transfers: sample.transferId,
      holds: sample.holdId,
      deliveries: sample.deliveryId,
      templates: sample.templateId,
      suppressions: sample.suppressionId,
      'webhook-endpoints': sample.endpointId,
    };
    const requests = requestsOf(openApiDocument(ENDPOINTS), { ids });
    const wrong: unknown[] = [];
    const refused: string[] = [];
    const statuses = new Map<number, number>();
    let next = 0;
    for (let start = 0; start < RUNS; start += BATCH) {
      const batch = fc.sample(requests, {
        seed: SEED + start,
        numRuns: Math.min(BATCH, RUNS - start),
      });
      const queue = batch.values();
      const work = async (): Promise<void> => {
        for (const request of queue) {
          next += 1;
          const key = `fuzz-${SEED}-${next}`;
          const outcome = await sendTwiceIfSlow(request, key);
          statuses.set(outcome.status, (statuses.get(outcome.status) ?? 0) + 1);
          const what = wrongWith(outcome, request);
          if (what !== undefined) wrong.push({ what, code: outcome.code, request });
          if (outcome.status >= 400) refused.push(key);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    }
    console.info(`generated requests, FC_SEED=${SEED}:`, Object.fromEntries(statuses));
    expect(wrong.slice(0, 10)).toEqual([]);
    // Both kinds were among them, and not just a few.
    expect(refused.length).toBeGreaterThan(RUNS / 10);
    expect(RUNS - refused.length).toBeGreaterThan(RUNS / 10);
    const stored = await api.db
      .collection('operations')
      .countDocuments({ idempotencyKey: { $in: refused } });
    expect(stored).toBe(0);
  },
  Math.max(120_000, RUNS * 40),
);
