import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a negative Retry-After is a date long ago, and means now',
    file: 'core/kernel/retry-after.ts',
    find: 'if (asctime === null) return Number.NaN;',
    replace: 'if (asctime === null) return Date.parse(text);',
    foundBy: ['tests/unit/core/kernel/retry-after.test.ts'],
  },
  {
    name: 'the importer hammers a server that asks for a wait of zero',
    file: 'cli/retry.ts',
    find: 'isAsked ? retryAfterMs : ownMs',
    replace: 'retryAfterMs ?? ownMs',
    foundBy: ['tests/unit/cli/parts.test.ts', 'tests/unit/cli/import-trouble.test.ts'],
  },
  {
    name: 'an outage of the payment provider uses up the attempts of a step',
    file: 'core/saga/provider-calls.ts',
    find: ': attempt - 1,\n    error',
    replace: ': attempt,\n    error',
    foundBy: ['tests/sagas/provider-away.test.ts'],
  },
  {
    name: 'a breaker never half-opens',
    file: 'core/notifications/admission/breaker.ts',
    find: 'if (nowMs >= state.untilMs) {',
    replace: 'if (nowMs >= Infinity) {',
    foundBy: ['tests/unit/runtime/payments.test.ts'],
  },
  {
    name: 'a provider that hangs takes all places of the saga pool',
    file: 'runtime/payments.ts',
    find: 'NO_SAMPLES, max, samplesMin)',
    replace: 'NO_SAMPLES, 1_000, samplesMin)',
    foundBy: ['tests/unit/runtime/payments.test.ts'],
  },
  {
    name: 'a payment through a provider that nobody has is accepted',
    file: 'core/ingest/parse-submission.ts',
    find: 'context.hasProvider?.(provider) !== false',
    replace: 'context.hasProvider === undefined',
    foundBy: ['tests/http/operations/providers.test.ts'],
  },
];
