import { z } from 'zod';
import { openMongo } from '../../../core/infra/mongo.ts';
import { RISK_SIGNAL } from '../../../core/operation-types/withdrawal.ts';
import { ensureTenantPolicies } from '../../../core/provisioning/tenant-services-store.ts';
import { DEFAULT_TENANT_ID } from '../../../core/tenants/tenant.ts';
import { createApiClient } from '../../../cli/api-client.ts';
import { formatTable } from '../../../cli/format.ts';
import { waitUntil } from '../servers/ports.ts';
import type { SampleContext } from './sample.ts';

const USER = 'pd1-traveller';
const EUR = { currency: 'EUR' } as const;
const PAYMENT = { userId: USER, ...EUR } as const;

/** 5 % bonus on deposits, at most 10.00; withdrawals above 500.00 wait for a person. */
const POLICY = {
  ...EUR,
  depositBonus: { basisPoints: 500, max: '1000' },
  withdrawalRisk: { review: '50000', decline: '10000000' },
} as const;

interface Request {
  /** What the reader is to see in it. */
  readonly story: string;
  readonly path: string;
  readonly body: object;
}

const PREPARATION: readonly Request[] = [
  { story: '', path: '/v1/users', body: { userId: USER, wallets: [EUR] } },
  { story: '', path: '/v1/credits', body: { ...PAYMENT, amount: '100000' } },
];

const SAGAS: readonly Request[] = [
  {
    story: 'card is charged, wallet credited, bonus given',
    path: '/v1/deposits',
    body: { ...PAYMENT, amount: '25000', instrument: 'card-4242' },
  },
  {
    story: 'the provider declines: nothing happened',
    path: '/v1/deposits',
    body: { ...PAYMENT, amount: '9900', instrument: 'decline-authorisation' },
  },
  {
    story: 'held, checked, paid out',
    path: '/v1/withdrawals',
    body: { ...PAYMENT, amount: '4000', instrument: 'account-1' },
  },
  {
    story: 'the payout is declined: the hold is given back',
    path: '/v1/withdrawals',
    body: { ...PAYMENT, amount: '7500', instrument: 'decline-payout' },
  },
  {
    story: 'above the limit: it waits for a person',
    path: '/v1/withdrawals',
    body: { ...PAYMENT, amount: '60000', instrument: 'account-1' },
  },
];

const MOVING: ReadonlySet<string> = new Set(['accepted', 'running', 'compensating']);
const STILL_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 200;

const operationSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  status: z.string(),
  /** Of one that waits for somebody outside. */
  waitingFor: z.looseObject({}).optional(),
});
type Shown = z.infer<typeof operationSchema>;

/** Deposits and withdrawals of one user, and what became of each; the same ones at every start. */
export async function showSagas(
  { url, database }: { readonly url: string; readonly database: string },
  { connection, log, signal }: SampleContext,
): Promise<void> {
  const mongo = await openMongo({ url, database, appName: 'sluice-up-policies' });
  await ensureTenantPolicies(mongo.db, DEFAULT_TENANT_ID, [POLICY]).finally(() => mongo.close());
  const retry = { forMs: 60_000, signal, onWait: () => undefined };
  const client = createApiClient({ connection, retry, firstAnswerMs: 30_000 });
  const submit = async ({ path, body }: Request, number: number): Promise<Shown> => {
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': `payday-1-saga-${String(number)}`,
    };
    const reply = await client.send({ method: 'POST', path, body: JSON.stringify(body), headers });
    let shown = operationSchema.parse(reply.body);
    const isStill = async (): Promise<boolean> => {
      const now = await client.send({ method: 'GET', path: `/v1/operations/${shown.id}` });
      shown = operationSchema.parse(now.body);
      // What waits for its turn in a line moves by itself; what somebody has to decide does not.
      const { status, waitingFor } = shown;
      return !MOVING.has(status) && (status !== 'waiting' || waitingFor !== undefined);
    };
    await waitUntil(isStill, { timeoutMs: STILL_WITHIN_MS, everyMs: LOOK_EVERY_MS, signal });
    return shown;
  };
  for (const [index, request] of PREPARATION.entries()) await submit(request, index);
  const shown = await Promise.all(
    SAGAS.map((request, index) => submit(request, PREPARATION.length + index)),
  );
  log('• sagas: deposits and withdrawals through the sandbox provider');
  const rows = shown.map(({ id, type, status }, index) => [
    id,
    type,
    status,
    SAGAS[index]?.story ?? '',
  ]);
  for (const line of formatTable(rows)) log(`  ${line}`);
  const waiting = shown.find(({ waitingFor }) => waitingFor !== undefined);
  if (waiting !== undefined) for (const line of decisionLines(connection, waiting)) log(line);
}

function decisionLines(
  { url, key }: SampleContext['connection'],
  { id }: Shown,
): readonly string[] {
  return [
    '  To let the last one go on, and to read what happened to it:',
    '',
    `  curl -sS ${url}/v1/operations/${id}/signals/${RISK_SIGNAL} \\`,
    `    -H 'Authorization: Bearer ${key}' -H 'Prefer: wait=5' \\`,
    `    -H 'Content-Type: application/json' -d '{"approve": true}'`,
    `  curl -sS ${url}/v1/operations/${id}/timeline -H 'Authorization: Bearer ${key}'`,
    '',
  ];
}
