import { timelineSchema } from '../../contract/timeline.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { deliveryBrief } from '../../views/notification.ts';
import { timelineView } from '../../views/timeline.ts';

/** A batch may have written thousands; /v1/transactions has the rest. */
export const TIMELINE_ENTRIES_MAX = 500;
const TIMELINE_DELIVERIES_MAX = 100;

export const getTimeline = defineEndpoint({
  method: 'GET',
  path: '/v1/operations/:id/timeline',
  scope: 'ledger:read',
  summary:
    'What happened to an operation, in order: steps, retries, compensations, signals and ' +
    'interventions, with worker and attempt; the entries that it has written (the first 500), ' +
    'its deliveries (100), and its events in the stream, while that still has them',
  input: { params: idParams, query: noQuery, body: noBody },
  output: { 200: timelineSchema },
  handle: async ({ params }, { services, tenant }) => {
    const stored = await services.operations(tenant).find(params.id);
    const operation = foundOr404(stored, 'operation');
    const { _id: id, completedAt: settledAt } = operation;
    const [entries, audit, deliveries, stream] = await Promise.all([
      services.ledger(tenant).entriesOfOperation(id, TIMELINE_ENTRIES_MAX),
      services.auditOf(tenant, id),
      services
        .notifications(tenant)
        .deliveries.list({ operationId: id }, { limit: TIMELINE_DELIVERIES_MAX }),
      settledAt === undefined ? [] : services.streams.eventsOf(tenant.tenantId, { id, settledAt }),
    ]);
    return found({
      ...timelineView(operation, { entries, audit }),
      deliveries: deliveries.map(deliveryBrief),
      stream,
    });
  },
});
