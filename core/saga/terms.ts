import type { OperationDoc } from '../operations/operation.ts';
import type { SagaServices } from '../operations/services.ts';
import type { SagaPlan, Step } from '../operations/step.ts';

/**
 * The plan with the terms of its payment provider, for the operation's tenant, as they are now. A run
 * keeps them to its end; the next claim of the operation has those of its own time.
 */
export function onTerms(
  { services }: { readonly services: SagaServices },
  plan: SagaPlan,
  operation: Pick<OperationDoc, '_id' | 'tenantId' | 'input'>,
): SagaPlan {
  if (!plan.steps.some((step) => step.kind === 'call' && step.provider !== undefined)) return plan;
  const { payments } = services;
  if (payments.terms === undefined) return plan;
  const { _id: operationId, tenantId, input } = operation;
  const context = { operationId, tenantId, input, results: {}, signals: {} };
  const steps = plan.steps.map((step): Step<unknown> => {
    if (step.kind !== 'call' || step.provider === undefined) return step;
    const provider = step.provider({ ...context, hasWaitExpired: false, attempt: 1 });
    return { ...step, ...payments.terms?.(provider, tenantId) };
  });
  return { ...plan, steps };
}
