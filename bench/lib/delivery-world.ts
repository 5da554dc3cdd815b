import { LIMITS } from '../../config/limits.ts';
import { collection } from '../../core/infra/collections.ts';
import { newOperationId, newToken } from '../../core/kernel/ids.ts';
import { type UserDoc, userDocId } from '../../core/ledger/documents.ts';
import type { OutboxRow } from '../../core/events/outbox.ts';
import type { Log } from '../../scripts/dev/servers/report.ts';
import type { Arena } from './arena.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';

const TENANT = 'default';
const USERS = 100;
const EVENTS_PER_ROW = 100;

/** Users are told of it by the built-in rules. */
export const EVENTS = {
  email: 'user.unblocked',
  sms: 'user.blocked',
  push: 'hold.captured',
} as const;

export interface StandInsProcess {
  readonly process: BenchProcess;
  readonly env: Readonly<Record<string, string>>;
}

/** The SMTP server and the HTTP receiver, in a process of their own. */
export async function startStandIns(arena: Arena, log: Log): Promise<StandInsProcess> {
  const process = startProcess({
    script: 'scripts/dev/stand-ins/main.ts',
    env: arena.processEnv,
    log: (line) => {
      if (!/export |inbox: /.test(line)) log(line);
    },
  });
  const isReady = (): boolean => process.lines.some((line) => line.startsWith('inbox: '));
  await until('the stand-ins are ready', isReady);
  const pairs = process.lines.flatMap((line) => {
    const [, name, value] = /^export (\w+)='(.*)'$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return { process, env: Object.fromEntries(pairs) };
}

/** Reached on this channel alone, so that an event makes one delivery. */
export async function addUsers(arena: Arena, channel: keyof typeof EVENTS): Promise<void> {
  const now = new Date();
  const users = Array.from({ length: USERS }, (_, index): UserDoc => {
    const userId = userOf(index);
    const whose = { _id: userDocId(TENANT, userId), tenantId: TENANT, userId };
    const phone = `+4915112345${String(100 + index)}`;
    return {
      ...{ ...whose, status: 'active', createdAt: now, updatedAt: now },
      ...(channel === 'email' && { contacts: { email: `${userId}@example.test` } }),
      ...(channel === 'sms' && { contacts: { phone } }),
      ...(channel === 'push' && { pushTargets: [{ kind: 'fcm', token: `token-${userId}` }] }),
    };
  });
  await collection<UserDoc>(arena.db, 'users').insertMany(users);
}

const userOf = (index: number): string => `user-${String(index % USERS)}`;

/** Records events as transactions do, and publishes their rows. */
export async function happen(arena: Arena, names: readonly string[]): Promise<void> {
  const now = new Date();
  const money = { amount: '1250', currency: 'EUR' };
  const events = names.map((name, index) => {
    const operationId = newOperationId();
    const data = { userId: userOf(index), ...money };
    return { id: `${operationId}.e0`, operationId, name, data };
  });
  const rows: OutboxRow[] = [];
  for (let start = 0; start < events.length; start += EVENTS_PER_ROW) {
    const some = events.slice(start, start + EVENTS_PER_ROW);
    const times = { nextCheckAt: new Date(now.getTime() + LIMITS.outboxStaleMs), createdAt: now };
    rows.push({ _id: `obx_${newToken()}_0`, tenantId: TENANT, events: some, ...times });
  }
  await collection<OutboxRow>(arena.db, 'outbox').insertMany(rows);
  await arena.queues.publisher.publishEvents(rows);
}

/** Until as many deliveries as that have been made of the events. */
export async function allRouted({ db }: Arena, total: number): Promise<void> {
  const [deliveries, outbox] = [db.collection('deliveries'), db.collection('outbox')];
  const isSo = async (): Promise<boolean> =>
    (await deliveries.estimatedDocumentCount()) >= total &&
    (await outbox.estimatedDocumentCount()) === 0;
  await until(`${String(total)} deliveries are made`, isSo, { everyMs: 500, withinMs: 120_000 });
}
