import { onTestFinished } from 'vitest';
import { parseEnv } from '../../config/env.ts';
import { collection } from '../../core/infra/collections.ts';
import { newOperationId, newToken } from '../../core/kernel/ids.ts';
import type { DeliveryDoc } from '../../core/notifications/delivery/delivery.ts';
import type { Providers } from '../../core/notifications/ports.ts';
import { createEnvGuard, createProviders } from '../../core/notifications/providers/registry.ts';
import {
  type WebhookEndpointDoc,
  newEndpointSecret,
} from '../../core/notifications/webhooks/webhook-endpoint.ts';
import type { NotificationTuning } from '../../runtime/notifications.ts';
import type { OutboxRow } from '../../core/events/outbox.ts';
import { openHints } from '../../core/events/hints.ts';
import { type StandIns, startStandIns } from '../../scripts/dev/stand-ins/start.ts';
import { startNotifications } from '../../workers/notifications.ts';
import { startSettlement } from '../../workers/settlement.ts';
import { hastyPolicies } from './hasty-policies.ts';
import { type Instance, TENANT, accept, openWorld, settled, submission } from './platform.ts';
import { until } from './wait.ts';

/** A platform that settles and notifies, with stand-ins for everybody that it talks to. */
export interface Notifying {
  readonly node: Instance;
  readonly standIns: StandIns;
  /** Another process' worth of notifications on the same database. */
  notify(node: Instance, options?: NotifyOptions): void;
  endpoint(name: string, options?: Partial<WebhookEndpointDoc>): Promise<WebhookEndpointDoc>;
  deliveries(filter?: Partial<DeliveryDoc>): Promise<readonly DeliveryDoc[]>;
  /** Records events as a transaction would have, and publishes their row. */
  happen(...events: readonly HappeningEvent[]): Promise<void>;
  /** Accepts operations and waits for their end. */
  run(...operations: readonly Parameters<typeof submission>[]): Promise<void>;
}

interface HappeningEvent {
  readonly name: string;
  readonly data?: Readonly<Record<string, string>>;
}

interface NotifyOptions extends NotificationTuning {
  readonly providers?: Providers;
}

interface Options extends NotifyOptions {
  /** Settles, but leaves the outbox to the test. */
  readonly isSilent?: boolean;
}

export async function openNotifying(options: Options = {}): Promise<Notifying> {
  const standIns = await startStandIns();
  onTestFinished(() => standIns.close());
  const { node } = await openWorld();
  const { platform, queues } = node;
  const sending = { ...platform.env, ...definedOf(parseEnv({ ...standIns.env })) };
  const providersOf = (): Providers =>
    createProviders({ env: sending, guard: createEnvGuard(sending) });
  const notify = (on: Instance, { providers, ...tuning }: NotifyOptions = {}): void => {
    startNotifications({
      platform: on.platform,
      publisher: on.queues.publisher,
      providers: providers ?? providersOf(),
      tuning: { policies: hastyPolicies(), ...tuning },
    });
  };
  const hints = openHints(platform.redis);
  platform.lifecycle.onClose('hints', () => hints.close());
  startSettlement({ platform, publisher: queues.publisher, hints });
  const { isSilent = false, ...tuning } = options;
  if (!isSilent) notify(node, tuning);
  const docs = collection<DeliveryDoc>(platform.mongo.db, 'deliveries');
  const endpoints = collection<WebhookEndpointDoc>(platform.mongo.db, 'webhook_endpoints');
  return {
    node,
    standIns,
    notify,
    endpoint: async (name, overrides = {}) => {
      const now = new Date();
      const secret = newEndpointSecret();
      const endpoint: WebhookEndpointDoc = {
        _id: `whk_${name}`,
        tenantId: TENANT,
        url: `${standIns.receiver.url}/webhooks/${name}`,
        events: ['transfer.*'],
        status: 'enabled',
        secrets: [{ secret, createdAt: now }],
        requestHash: '',
        createdAt: now,
        updatedAt: now,
        ...overrides,
      };
      standIns.receiver.trust(
        name,
        endpoint.secrets.map((one) => one.secret),
      );
      await endpoints.insertOne(endpoint);
      return endpoint;
    },
    deliveries: async (filter = {}) =>
      docs
        .find(filter as object)
        .sort({ _id: 1 })
        .toArray(),
    happen: async (...events) => {
      const now = new Date();
      const row: OutboxRow = {
        _id: `obx_${newToken()}_0`,
        tenantId: TENANT,
        events: events.map((event) => {
          const operationId = newOperationId();
          return { id: `${operationId}.e0`, operationId, ...event };
        }),
        nextCheckAt: new Date(now.getTime() + 5_000),
        createdAt: now,
      };
      await collection<OutboxRow>(platform.mongo.db, 'outbox').insertOne(row);
      await queues.publisher.publishEvents([row]);
    },
    run: async (...operations) => {
      for (const one of operations) {
        await settled(node, await accept(node, [submission(...one)]));
      }
    },
  };
}

/** What the environment of the stand-ins sets beyond the defaults. */
function definedOf(env: ReturnType<typeof parseEnv>): Partial<ReturnType<typeof parseEnv>> {
  const plain = parseEnv({});
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== Reflect.get(plain, name)),
  );
}

/** Waits until every delivery is final. */
export async function finished(
  { deliveries }: Pick<Notifying, 'deliveries'>,
  count: number,
  deadlineMs = 15_000,
): Promise<readonly DeliveryDoc[]> {
  let last: readonly DeliveryDoc[] = [];
  await until(
    async () => {
      last = await deliveries();
      const open = last.filter(({ status }) => status === 'pending' || status === 'sending');
      return last.length >= count && open.length === 0;
    },
    () => `${count} deliveries end; ${describe(last)}`,
    deadlineMs,
  );
  return last;
}

function describe(deliveries: readonly DeliveryDoc[]): string {
  const counts = new Map<string, number>();
  for (const { channel, status, reason, deferral } of deliveries) {
    const text = [channel, status, reason?.code, deferral?.code].filter(Boolean).join(' ');
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `${count} ${text}`).join(', ');
}

export const TENANT_ID = TENANT;

export const EUR = { currency: 'EUR' } as const;

/** Ann with 100.00 EUR, a mail address and a phone; Bob with a wallet and a mail address. */
export async function seedPeople({ run }: Pick<Notifying, 'run'>): Promise<void> {
  const ann = { email: 'ann@example.test', phone: '+4915112345678' };
  await run(
    ['user.create', { userId: 'ann', wallets: [EUR], contacts: ann }],
    ['user.create', { userId: 'bob', wallets: [EUR], contacts: { email: 'bob@example.test' } }],
    ['wallet.credit', { userId: 'ann', ...EUR, amount: 10_000 }],
  );
}

export const PAYMENT = [
  'transfer',
  { fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: 1_250 },
] as const;

/** A transfer from Ann to Bob has settled. */
export const PAID = {
  name: 'transfer.settled',
  data: { transferId: 'trf_1', fromUserId: 'ann', toUserId: 'bob', ...EUR, amount: '1250' },
} as const;
