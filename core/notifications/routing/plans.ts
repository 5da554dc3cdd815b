import { LIMITS } from '../../../config/limits.ts';
import { present } from '../../kernel/assert.ts';
import { createGroup } from '../../kernel/group.ts';
import { EVENT_RULES, type EventRule, isRuled, matchesFilter } from './event-rules.ts';
import type { Channel } from '../ports.ts';
import type { RuleDoc } from './rule-store.ts';
import type { WebhookEndpointDoc } from '../webhooks/webhook-endpoint.ts';

type Subscriber = Pick<WebhookEndpointDoc, '_id' | 'events' | 'url' | 'status' | 'disabledReason'>;

/** What one kind of event leads to. */
export interface EventPlan {
  readonly endpoints: readonly Subscriber[];
  /** Absent when nobody is told, or on no channel that can send. */
  readonly rule?: EventRule;
}

/** What a tenant wants sent, by the name of the event; undefined: nothing. */
export type TenantPlan = (event: string) => EventPlan | undefined;

interface PlansDeps {
  readonly endpointsOf: (tenantId: string) => Promise<readonly Subscriber[]>;
  readonly rulesOf: (tenantId: string) => Promise<readonly RuleDoc[]>;
  /** Whether the channel has a provider. */
  readonly canSend: (channel: Channel) => boolean;
}

export interface Plans {
  /** As it stands when this is asked, or later. */
  of(tenantId: string): Promise<TenantPlan>;
}

/**
 * The plans of all tenants. Whatever happened after an endpoint or a rule was answered for goes by it,
 * so that none is kept from before: rows that are dealt with at the same time share the reading.
 */
export function createPlans({ endpointsOf, rulesOf, canSend }: PlansDeps): Plans {
  const load = async (tenantId: string): Promise<TenantPlan> => {
    const [endpoints, rules] = await Promise.all([endpointsOf(tenantId), rulesOf(tenantId)]);
    const byName = new Map<string, EventPlan | undefined>();
    return (event) => {
      if (!byName.has(event)) byName.set(event, planOf(event, { endpoints, rules, canSend }));
      return byName.get(event);
    };
  };
  const group = createGroup<string, TenantPlan>({
    sizeMax: LIMITS.routingGroupMax,
    inFlightMax: 2,
    run: (tenantIds) => {
      const plans = new Map([...new Set(tenantIds)].map((id) => [id, load(id)]));
      return Promise.all(tenantIds.map((id) => present(plans.get(id), 'the plan of a tenant')));
    },
  });
  return Object.freeze({ of: (tenantId: string) => group.add(tenantId) });
}

interface Choices {
  readonly endpoints: readonly Subscriber[];
  readonly rules: readonly RuleDoc[];
  readonly canSend: (channel: Channel) => boolean;
}

/** Pure. */
function planOf(event: string, { endpoints, rules, canSend }: Choices): EventPlan | undefined {
  const wanting = endpoints.filter(({ events }) =>
    events.some((filter) => matchesFilter(filter, event)),
  );
  const rule = ruleFor(event, rules);
  const isTold = rule?.channels.some(canSend) === true;
  if (wanting.length === 0 && !isTold) return undefined;
  return { endpoints: wanting, ...(rule !== undefined && isTold && { rule }) };
}

function ruleFor(event: string, rules: readonly RuleDoc[]): EventRule | undefined {
  if (!isRuled(event)) return undefined;
  const builtIn: EventRule = EVENT_RULES[event];
  const own = rules.find((rule) => rule.event === event);
  return own === undefined ? builtIn : { ...builtIn, channels: own.channels };
}
