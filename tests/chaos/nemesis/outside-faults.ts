import type { Rule } from '../fault-proxy.ts';
import type { Fault } from '../../../scripts/dev/sandbox/server.ts';
import type { FaultKind, Strike } from './fault-kind.ts';
import { onLink } from './redis-faults.ts';

const PROVIDER = 'workers>provider';
const CALLS = ['authorisations', 'captures', 'payouts'] as const;
/** Longer than the platform waits for it. */
const EACH = 6;

type ProviderRow = readonly [string, string, Pick<Fault, 'kind' | 'delayMs'>];

const PROVIDER_ROWS: readonly ProviderRow[] = [
  ['provider-fails', 'the payment provider answers 503', { kind: 'error' }],
  ['provider-hangs', 'the payment provider never answers', { kind: 'hang' }],
  ['provider-throttles', 'the payment provider answers 429', { kind: 'throttle', delayMs: 1_000 }],
  [
    'provider-times-out-after-effect',
    'it does as it is told and never answers',
    { kind: 'effect-then-hang' },
  ],
  [
    'provider-fails-after-effect',
    'it does as it is told and answers 500',
    { kind: 'effect-then-error' },
  ],
];

const PROVIDER_FAULTS: readonly FaultKind[] = PROVIDER_ROWS.map(([name, summary, fault]) => ({
  name,
  summary,
  covers: ['F24'],
  targets: ['provider'],
  claims: () => ['provider'],
  seconds: [5, 12] as const,
  strike: async ({ cluster: { sandbox } }): Promise<Strike> => {
    for (const on of CALLS) sandbox.inject({ on, times: EACH, ...fault });
    const planned = CALLS.length * EACH;
    let left: number | undefined;
    return {
      strikes: () => planned - (left ?? sandbox.planned()),
      heal: async () => {
        left = sandbox.planned();
        sandbox.clear();
      },
    };
  },
}));

type LinkRow = readonly [string, string, string, Rule, readonly [number, number]];

const LINK_ROWS: readonly LinkRow[] = [
  [
    'provider-refused',
    'the payment provider refuses connections',
    PROVIDER,
    { mode: 'refuse' },
    [3, 8],
  ],
  [
    'provider-black-hole',
    'nothing arrives at the payment provider',
    PROVIDER,
    { mode: 'black-hole' },
    [3, 8],
  ],
  [
    'provider-replies-cut',
    'answers of the payment provider are cut in the middle',
    PROVIDER,
    { mode: 'cut-reply' },
    [3, 8],
  ],
  [
    'provider-slow-line',
    '10 bytes a second to the payment provider',
    PROVIDER,
    { mode: 'slow', bytesPerSecond: 10 },
    [3, 8],
  ],
  [
    'receiver-refused',
    'a webhook receiver refuses connections',
    'workers>receiver',
    { mode: 'refuse' },
    [3, 10],
  ],
  [
    'receiver-black-hole',
    'nothing arrives at a webhook receiver',
    'workers>receiver',
    { mode: 'black-hole' },
    [3, 10],
  ],
  [
    'receiver-replies-lost',
    'a webhook receiver takes all, its answers are lost',
    'workers>receiver',
    { mode: 'lose-replies' },
    [3, 10],
  ],
  [
    'mail-refused',
    'the mail server refuses connections',
    'workers>mail',
    { mode: 'refuse' },
    [3, 8],
  ],
  [
    'client-replies-cut',
    'answers of an API are cut in the middle',
    'client>api-1',
    { mode: 'cut-reply', afterBytes: 60 },
    [2, 6],
  ],
  [
    'client-replies-lost',
    'an API takes requests, its answers are lost',
    'client>api-2',
    { mode: 'lose-replies' },
    [2, 6],
  ],
  [
    'client-requests-cut',
    'requests to an API are cut in the middle',
    'client>api-1',
    { mode: 'cut-request', afterBytes: 120 },
    [2, 6],
  ],
  [
    'client-slow-line',
    '2 kB a second to and from an API',
    'client>api-2',
    { mode: 'slow', bytesPerSecond: 2_000 },
    [3, 6],
  ],
];

const LINK_FAULTS: readonly FaultKind[] = LINK_ROWS.map(([name, summary, link, rule, seconds]) => ({
  name,
  summary,
  covers: [link === PROVIDER ? 'F24' : link.startsWith('client') ? 'F4' : 'receivers'],
  targets: [link],
  claims: () => [link === PROVIDER ? 'provider' : link],
  seconds,
  strike: async ({ cluster }) => onLink(cluster, link, rule),
}));

const RECEIVER_FAULTS: readonly FaultKind[] = [
  {
    name: 'receiver-fails',
    summary: 'a webhook receiver answers 500',
    covers: ['receivers'],
    targets: ['flaky'],
    claims: () => ['workers>receiver'],
    seconds: [3, 8],
    strike: async ({ cluster: { receiver } }) => {
      const fault = receiver.fail('flaky', 500, 50);
      return { strikes: fault.strikes, heal: async () => fault.lift() };
    },
  },
];

export const OUTSIDE_FAULTS: readonly FaultKind[] = [
  ...PROVIDER_FAULTS,
  ...LINK_FAULTS,
  ...RECEIVER_FAULTS,
];
