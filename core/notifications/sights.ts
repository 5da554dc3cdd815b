import { LIMITS } from '../../config/limits.ts';
import { type Group, createGroup } from '../kernel/group.ts';
import { userDocId } from '../ledger/documents.ts';
import type { DeliveryDoc, DeliveryId } from './delivery.ts';
import type { DeliveryStore, SeenDelivery } from './delivery-store.ts';
import type { FactsStore } from './facts-store.ts';
import type { Sight } from './next-step.ts';
import { suppressionIdOf } from './suppression.ts';
import type { SuppressionStore } from './suppression-store.ts';
import type { EndpointHealthStore } from './webhook-endpoint-store.ts';

interface SightDeps {
  readonly deliveries: DeliveryStore;
  readonly facts: FactsStore;
  readonly endpoints: EndpointHealthStore;
  readonly suppressions: SuppressionStore;
}

/** Reads what jobs need, all those of a moment together. */
export function createSights(deps: SightDeps): Group<DeliveryId, Sight | 'gone'> {
  return createGroup<DeliveryId, Sight | 'gone'>({
    sizeMax: LIMITS.deliveryGroupMax,
    inFlightMax: LIMITS.deliveryGroupsInFlightMax,
    run: async (ids) => {
      const seen = await deps.deliveries.look(ids);
      const complete = await completed(deps, seen);
      return ids.map((id) => complete.get(id) ?? 'gone');
    },
  });
}

async function completed(
  { facts, endpoints, suppressions }: SightDeps,
  seen: readonly SeenDelivery[],
): Promise<ReadonlyMap<string, Sight>> {
  const open = seen.map(({ delivery }) => delivery).filter(({ status }) => status === 'pending');
  const people = open.filter(({ channel }) => channel !== 'webhook');
  const endpointIds = [...new Set(open.flatMap(({ endpointId }) => endpointId ?? []))];
  const [users, found, suppressed] = await Promise.all([
    facts.users(people.flatMap(userOf)),
    endpointIds.length === 0 ? [] : endpoints.findMany(endpointIds),
    people.length === 0 ? new Set<string>() : suppressions.find(people.map(suppressionOf)),
  ]);
  const byEndpoint = new Map<string, (typeof found)[number]>(found.map((one) => [one._id, one]));
  return new Map(
    seen.map(({ delivery, now }) => {
      const user = userOf(delivery).map((id) => users.get(id))[0];
      const endpoint =
        delivery.endpointId === undefined ? undefined : byEndpoint.get(delivery.endpointId);
      const sight: Sight = {
        delivery,
        now,
        ...(user !== undefined && { user }),
        ...(endpoint !== undefined && { endpoint }),
        isSuppressed: delivery.channel !== 'webhook' && suppressed.has(suppressionOf(delivery)),
      };
      return [delivery._id, sight] as const;
    }),
  );
}

function userOf({ tenantId, userId }: DeliveryDoc): readonly string[] {
  return userId === undefined ? [] : [userDocId(tenantId, userId)];
}

function suppressionOf({ tenantId, channel, address }: DeliveryDoc): string {
  return suppressionIdOf(tenantId, channel, address);
}
