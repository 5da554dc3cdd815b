import { LIMITS } from '../../../config/limits.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Group, createGroup } from '../../kernel/group.ts';
import { userDocId } from '../../ledger/documents.ts';
import type { DeliveryDoc, DeliveryId } from './delivery.ts';
import type { DeliveryStore, SeenDelivery } from './delivery-store.ts';
import type { FactsStore } from '../routing/facts-store.ts';
import type { UserFacts } from '../routing/facts.ts';
import type { DeliverySnapshot } from './next-step.ts';
import { addressesOf } from '../routing/reach.ts';
import { suppressionIdOf } from '../suppressions/suppression.ts';
import type { SuppressionStore } from '../suppressions/suppression-store.ts';
import type { EndpointHealthStore } from '../webhooks/webhook-endpoint-store.ts';

interface SightDeps {
  readonly deliveries: DeliveryStore;
  readonly facts: FactsStore;
  readonly endpoints: EndpointHealthStore;
  readonly suppressions: SuppressionStore;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Reads what jobs need, all those of a moment together. */
export function createSnapshots(deps: SightDeps): Group<DeliveryId, DeliverySnapshot | 'gone'> {
  return createGroup<DeliveryId, DeliverySnapshot | 'gone'>({
    sizeMax: LIMITS.deliveryGroupMax,
    inFlightMax: LIMITS.deliveryGroupsInFlightMax,
    run: async (ids) => {
      const readMs = deps.clock.monotonicMs();
      const seen = await deps.deliveries.look([...new Set(ids)]);
      const complete = await completed(deps, seen, readMs);
      return ids.map((id) => complete.get(id) ?? 'gone');
    },
  });
}

async function completed(
  { facts, endpoints, suppressions }: SightDeps,
  seen: readonly SeenDelivery[],
  readMs: number,
): Promise<ReadonlyMap<string, DeliverySnapshot>> {
  const open = seen.map(({ delivery }) => delivery).filter(({ status }) => status === 'pending');
  const people = open.filter(({ channel }) => channel !== 'webhook');
  const endpointIds = [...new Set(open.flatMap(({ endpointId }) => endpointId ?? []))];
  const [users, found, suppressed] = await Promise.all([
    facts.users(people.flatMap(userOf)),
    endpointIds.length === 0 ? [] : endpoints.findMany(endpointIds),
    people.length === 0 ? NONE : suppressions.find(people.map(suppressionOf)),
  ]);
  const userFor = (delivery: DeliveryDoc): UserFacts | undefined =>
    userOf(delivery).map((id) => users.get(id))[0];
  // Where they go is known only now.
  const late = people.filter(({ address }) => address === '');
  const lateIds = late.map((delivery) => suppressionOf(addressed(delivery, userFor(delivery))));
  const lateSuppressed = late.length === 0 ? NONE : await suppressions.find(lateIds);
  const byEndpoint = new Map<string, (typeof found)[number]>(found.map((one) => [one._id, one]));
  return new Map(
    seen.map(({ delivery: stored, now }) => {
      const user = userFor(stored);
      const delivery = addressed(stored, user);
      const endpoint =
        delivery.endpointId === undefined ? undefined : byEndpoint.get(delivery.endpointId);
      const snapshot: DeliverySnapshot = {
        delivery,
        now,
        readMs,
        ...(user !== undefined && { user }),
        ...(endpoint !== undefined && { endpoint }),
        isSuppressed:
          delivery.channel !== 'webhook' &&
          (suppressed.has(suppressionOf(delivery)) || lateSuppressed.has(suppressionOf(delivery))),
      };
      return [delivery._id, snapshot] as const;
    }),
  );
}

const NONE: ReadonlySet<string> = new Set();

function userOf({ tenantId, userId }: DeliveryDoc): readonly string[] {
  return userId === undefined ? [] : [userDocId(tenantId, userId)];
}

function suppressionOf({ tenantId, channel, address }: DeliveryDoc): string {
  return suppressionIdOf(tenantId, channel, address);
}

/** One that was skipped for want of an address and is sent again goes where its user is by now. */
function addressed(delivery: DeliveryDoc, user: UserFacts | undefined): DeliveryDoc {
  if (delivery.address !== '' || user === undefined) return delivery;
  const [place] = addressesOf(user, delivery.channel);
  return place === undefined ? delivery : { ...delivery, ...place };
}
