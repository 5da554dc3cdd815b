import type { IngestScenario } from './ingest-run.ts';
import type { Size } from './options.ts';
import type { RecoveryScenario } from './recovery-run.ts';
import type { ShapeScenario } from './shape-run.ts';
import type { Target } from './targets.ts';
import type { Waiting } from './waiting.ts';

/**
 * Shapes of load under which a platform may become slower and slower, or stop: each is a ratio to the
 * same work without it. The small ones take seconds, and are enough for what grows with the backlog.
 */
type Named = { readonly name: string; readonly figures: readonly ['shapes'] } & (
  | ({ readonly kind: 'shape' } & ShapeScenario)
  | ({ readonly kind: 'recovery' } & RecoveryScenario)
  | ({ readonly kind: 'ingest' } & IngestScenario)
);

const FEW = 'few waiting';
const MANY = 'many waiting';
const UNKNOWN = 'many waiting, some to nobody';
const POISON = 'many waiting, one in 200 a bug';
const STUCK = 'many waiting behind lines that cannot move';
const [HOT, HOT_LONG, HOT_LONGEST] = [
  'hot line',
  'hot line, long',
  'hot line, twice as long',
] as const;
const HOT_NAMES = [HOT, HOT_LONG, HOT_LONGEST];
const BATCHES = 'batches of short texts';
const BATCHES_BIG = 'batches of long texts';
const CREDITS = 'credits';
const CREDITS_FULL = 'credits, full system wallets';
const RECOVERY = 'recovery, few waiting';
const RECOVERY_MANY = 'recovery, many waiting';
const INGEST = 'ingest, nothing waiting';
const INGEST_FLOOD = "ingest beside another tenant's flood";

interface Sizes {
  readonly few: number;
  readonly many: number;
  readonly warmUp: number;
  readonly movements: number;
  readonly wallets: number;
  readonly hot: readonly number[];
  readonly stuck: number;
  /** One payment in so many is to nobody: more of them where the backlog is small. */
  readonly unknownEvery: number;
  readonly batches: number;
  readonly heapMb: number;
  readonly swept: number;
  readonly requests: number;
}

const SIZES: Readonly<Record<Size, Sizes>> = {
  full: {
    ...{ few: 24_000, many: 100_000, warmUp: 4_000, movements: 16_000, wallets: 10_000 },
    ...{ hot: [24_000, 100_000, 200_000], stuck: 4_000, batches: 400, heapMb: 384 },
    ...{ swept: 4_000, requests: 20_000, unknownEvery: 200 },
  },
  half: {
    ...{ few: 14_000, many: 50_000, warmUp: 3_000, movements: 8_000, wallets: 10_000 },
    ...{ hot: [14_000, 50_000, 100_000], stuck: 4_000, batches: 200, heapMb: 384 },
    ...{ swept: 4_000, requests: 10_000, unknownEvery: 200 },
  },
  small: {
    ...{ few: 3_600, many: 10_000, warmUp: 800, movements: 1_600, wallets: 2_000 },
    ...{ hot: [3_600, 10_000], stuck: 1_500, batches: 250, heapMb: 128 },
    ...{ swept: 2_000, requests: 2_000, unknownEvery: 40 },
  },
};

/** Besides what is measured: batches under way when the clock stops. */
const SLACK = 1_200;

export function shapeScenarios(size: Size): readonly Named[] {
  const sizes = SIZES[size];
  const { few, many, warmUp, movements, wallets } = sizes;
  const shape = (name: string, waiting: readonly Waiting[], more: Partial<ShapeScenario> = {}) => ({
    ...{ name, waiting, warmUp, movements, wallets },
    ...{ kind: 'shape' as const, figures: ['shapes'] as const },
    ...more,
  });
  const uniform = (count: number, more: Partial<Waiting> = {}): Waiting => ({
    ...{ what: 'uniform', count },
    ...more,
  });
  const others = uniform(warmUp + movements + SLACK);
  const recovery = { recovery: true } as const;
  const stuck = uniform(sizes.stuck, { stuckLines: 250 });
  return [
    shape(FEW, [uniform(few)], recovery),
    shape(MANY, [uniform(many)], recovery),
    shape(UNKNOWN, [uniform(many, { unknownEvery: sizes.unknownEvery })]),
    shape(POISON, [uniform(many, { poisonEvery: 200 })]),
    shape(STUCK, [stuck, uniform(many)]),
    ...sizes.hot.map((count, index) =>
      shape(HOT_NAMES[index] ?? HOT, [{ what: 'hot', count }, others]),
    ),
    ...batchShapes(sizes).map(({ name, waiting }) =>
      shape(name, [waiting, others], { heapMb: sizes.heapMb }),
    ),
    shape(CREDITS, [{ what: 'credits', count: warmUp + movements + SLACK }]),
    shape(CREDITS_FULL, [{ what: 'credits', count: warmUp + movements + SLACK }], {
      fullStripes: 8,
    }),
    ...recoveries(sizes),
    ...(size === 'small' ? [] : floods(sizes)),
  ];
}

function batchShapes({ batches: count }: Sizes) {
  return [
    { name: BATCHES, waiting: { what: 'batches', count, textChars: 1 } },
    { name: BATCHES_BIG, waiting: { what: 'batches', count, textChars: 500 } },
  ] as const;
}

function recoveries({ many, swept, wallets }: Sizes): readonly Named[] {
  const alike = { kind: 'recovery', figures: ['shapes'], wallets } as const;
  return [
    { ...alike, name: RECOVERY, waiting: swept },
    { ...alike, name: RECOVERY_MANY, waiting: many },
  ];
}

/** Requests of one tenant, and how much of another waits meanwhile. */
function floods({ many, requests, wallets }: Sizes): readonly Named[] {
  const alike = {
    ...({ kind: 'ingest', figures: ['shapes'], side: 'ours', connections: 64 } as const),
    ...{ requests, warmUp: Math.round(requests / 5), wallets },
  };
  return [
    { ...alike, name: INGEST },
    { ...alike, name: INGEST_FLOOD, flood: many },
  ];
}

/**
 * The floors are for busy machines and small sizes: whatever grows with the backlog or the line falls
 * far below them, and nothing else does.
 */
const FLOOR = 0.5;
const judged = { figure: 'shapes', floor: FLOOR } as const;
const speed = { ...judged, atLeast: 0.9 } as const;
const cost = { ...judged, atLeast: 0.8 } as const;

export const SHAPE_TARGETS: readonly Target[] = [
  ...withCosts('many waiting against few, recovery running', MANY, FEW),
  ...withCosts('some payments to nobody against none', UNKNOWN, MANY),
  ...withCosts('one bug in 200 against none', POISON, MANY),
  ...withCosts('behind lines that cannot move against without them', STUCK, MANY),
  ...withCosts('a long hot line against a short one', HOT_LONG, HOT),
  { ...speed, what: 'the others meanwhile', of: HOT_LONG, against: HOT, measure: 'others' },
  ...withCosts('one twice as long', HOT_LONGEST, HOT),
  { ...speed, what: 'the others beside it', of: HOT_LONGEST, against: HOT, measure: 'others' },
  {
    ...{ ...judged, what: 'batches of long texts against short ones: memory', atLeast: 0.7 },
    ...{ of: BATCHES_BIG, against: BATCHES, measure: 'memory' },
  },
  {
    ...{ figure: 'shapes', what: 'the others meanwhile, beside long and short texts' },
    ...{ of: BATCHES_BIG, against: BATCHES, measure: 'others', atLeast: undefined },
  },
  ...withCosts('credits from full system wallets', CREDITS_FULL, CREDITS),
  {
    ...{ ...cost, what: 'recovery beside many waiting against few: looked at' },
    ...{ of: RECOVERY_MANY, against: RECOVERY, measure: 'looks' },
  },
  { ...speed, what: "ingest beside another tenant's flood", of: INGEST_FLOOD, against: INGEST },
  {
    ...{ ...cost, what: "ingest beside another tenant's flood: CPU" },
    ...{ of: INGEST_FLOOD, against: INGEST, measure: 'cpu' },
  },
];

function withCosts(what: string, of: string, against: string): readonly Target[] {
  return [
    { ...speed, what, of, against },
    { ...cost, what: `${what}: CPU`, of, against, measure: 'cpu' },
    { ...cost, what: `${what}: looked at`, of, against, measure: 'looks' },
  ];
}
