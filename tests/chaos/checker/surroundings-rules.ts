import { type DeliveryRow, TERMINAL } from './evidence.ts';
import { type Finding, type Rule, byId, grouped } from './rule.ts';

/** The endpoint that nothing is done to. */
export const HEALTHY = 'healthy';

/** Tried without success, or held back by a breaker: it waits for its time, and is not lost. */
function isPutOff({ status, attempts, notBefore }: DeliveryRow): boolean {
  const isOpen = status === 'pending' || status === 'sending';
  return isOpen && (attempts > 0 || notBefore !== undefined);
}

const eventsArrive: Rule = {
  name: 'a healthy receiver gets every event',
  breaks: 'P6, I10',
  check: ({ operations, receipts, deliveries }) => {
    const got = new Set(
      receipts
        .filter(({ endpoint, verdict }) => endpoint === HEALTHY && verdict === 'verified')
        .map(({ operationId, event }) => `${operationId} ${event}`),
    );
    const webhooks = deliveries.filter(({ channel }) => channel === 'webhook');
    const byEvent = grouped(webhooks, ({ eventId, event }) => {
      return `${eventId.split('.')[0] ?? ''} ${event}`;
    });
    return operations
      .filter(({ status }) => TERMINAL.has(status))
      .filter(({ id, status }) => !got.has(`${id} operation.${status}`))
      .flatMap(({ id, type, status }): Finding[] => {
        const own = byEvent.get(`${id} operation.${status}`) ?? [];
        if (own.some(isPutOff)) return [];
        const known = own.map((one) => one.status).join(', ') || 'no delivery';
        return [[id, `operation.${status} of a ${type}: ${known}`]];
      });
  },
};

const oneWebhookId: Rule = {
  name: 'repeats of a webhook bear one id',
  breaks: 'P6, I10',
  check: ({ receipts }) =>
    [...grouped(receipts, ({ endpoint, eventId }) => `${endpoint} ${eventId}`)].flatMap(
      ([key, own]): Finding[] => {
        const ids = [...new Set(own.map(({ id }) => id))];
        return ids.length > 1 ? [[key, `ids ${ids.join(', ')}`]] : [];
      },
    ),
};

const signed: Rule = {
  name: 'every webhook is signed',
  breaks: 'I10',
  check: ({ receipts }) =>
    receipts
      .filter(({ verdict }) => verdict !== 'verified')
      .map(({ id, endpoint, event, verdict }) => [id, `${event} to ${endpoint}: ${verdict}`]),
};

const eventsAreTrue: Rule = {
  name: 'no event tells of what did not happen',
  breaks: 'I10: an event of rolled-back work',
  check: ({ receipts, operations }) => {
    const stored = byId(operations);
    return receipts
      .filter(({ event, operationId }) => event.startsWith('operation.') && operationId !== '')
      .filter(({ event, operationId }) => {
        const status = event.slice('operation.'.length);
        const found = stored.get(operationId);
        return TERMINAL.has(status) && found?.status !== status;
      })
      .map(({ event, operationId }) => [
        operationId,
        `${event}, and it is ${stored.get(operationId)?.status ?? 'nowhere'}`,
      ]);
  },
};

const balancesAreServed: Rule = {
  name: 'a balance that is served is the one that is stored',
  breaks: 'I11',
  check: ({ balances }) =>
    balances
      .filter(({ served, stored }) => served !== stored)
      .map(({ walletId, api, served, stored }) => [
        walletId,
        `${api} says ${served}, stored ${stored}`,
      ]),
};

const queuesAreDrained: Rule = {
  name: 'queues are drained',
  breaks: 'I12',
  check: ({ queues, operations, outboxRows }) => {
    const stored = byId(operations);
    const busy = queues
      // Deliveries that wait for an attempt are delayed jobs; those of money have nothing to wait for.
      .filter(({ active, waiting }) => active + waiting > 0)
      .map(({ queue, active, waiting }): Finding => [
        queue,
        `${String(active)} active, ${String(waiting)} waiting`,
      ]);
    const failed = queues.flatMap(({ queue, failedOperations }) =>
      failedOperations
        .filter((id) => {
          const status = stored.get(id)?.status;
          return status !== undefined && !TERMINAL.has(status) && status !== 'needs_attention';
        })
        .map((id): Finding => [
          id,
          `a failed job of ${queue}, and ${stored.get(id)?.status ?? ''}`,
        ]),
    );
    const rows: Finding[] = outboxRows > 0 ? [['outbox', `${String(outboxRows)} rows left`]] : [];
    return [...busy, ...failed, ...rows];
  },
};

const tenantsAreApart: Rule = {
  name: 'a tenant sees nothing of another',
  breaks: 'I13',
  check: ({ isolation }) =>
    isolation
      // 401: the other tenant was never set up, and nobody was asked (see `Minimum.strangers`).
      .filter(({ status }) => status !== 404 && status !== 401)
      .map(({ path, status }) => [path, `answered ${String(status)} to another tenant's key`]),
};

const logsAreClean: Rule = {
  name: 'logs have no unhandled rejection and no secret',
  breaks: 'I15',
  check: ({ logs }) => logs.map(({ process, kind, line }) => [process, `${kind}: ${line}`]),
};

export const SURROUNDINGS_RULES: readonly Rule[] = [
  eventsArrive,
  oneWebhookId,
  signed,
  eventsAreTrue,
  balancesAreServed,
  queuesAreDrained,
  tenantsAreApart,
  logsAreClean,
];
