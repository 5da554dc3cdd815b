import { z } from 'zod';
import type { ChannelName } from './channel-defaults.ts';

/** What an override may be for, besides the whole installation. */
export const DIMENSIONS = ['tenant', 'provider', 'channel'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export type SettingValue = number | boolean | readonly number[];

/** A tunable: what it may be, what it is unless somebody says otherwise, and who may say so. */
export interface SettingRow<T extends SettingValue = SettingValue> {
  readonly summary: string;
  readonly unit: 'ms' | 's' | 'count' | 'per second' | 'share' | 'yes or no';
  readonly schema: z.ZodType<T>;
  readonly default: T;
  /** Where channels differ. */
  readonly byChannel?: Readonly<Record<ChannelName, T>>;
  /** What the schema allows, in words. */
  readonly allowed: string;
  readonly by: readonly Dimension[];
  /** A tenant's own administrators may set it for their tenant. */
  readonly tenantMay: boolean;
}

interface Common {
  readonly summary: string;
  readonly by?: readonly Dimension[];
  readonly tenantMay?: true;
}

interface Bounds {
  readonly floor: number;
  readonly ceiling: number;
}

type NumberSpec = Common &
  Bounds & {
    readonly unit: SettingRow['unit'];
    readonly default: number;
    readonly byChannel?: Readonly<Record<ChannelName, number>>;
  };

/** A number from the floor to the ceiling; whole, unless it is a share. */
export function numberRow({ tenantMay, by = [], ...spec }: NumberSpec): SettingRow<number> {
  const { floor, ceiling, unit } = spec;
  const isShare = unit === 'share';
  const kind = isShare ? 'a number' : 'a whole number';
  const number = isShare ? z.number() : z.int();
  return {
    summary: spec.summary,
    unit,
    default: spec.default,
    ...(spec.byChannel !== undefined && { byChannel: spec.byChannel }),
    schema: number.min(floor).max(ceiling),
    allowed: `${kind} from ${String(floor)} to ${String(ceiling)}`,
    by,
    tenantMay: tenantMay === true,
  };
}

type ListSpec = Common &
  Bounds & {
    readonly unit: SettingRow['unit'];
    readonly itemsMax: number;
    readonly default: readonly number[];
    readonly byChannel: Readonly<Record<ChannelName, readonly number[]>>;
  };

export function listRow({ tenantMay, by = [], ...spec }: ListSpec): SettingRow<readonly number[]> {
  const { floor, ceiling, itemsMax } = spec;
  return {
    summary: spec.summary,
    unit: spec.unit,
    default: spec.default,
    byChannel: spec.byChannel,
    schema: z.array(z.int().min(floor).max(ceiling)).max(itemsMax).readonly(),
    allowed: `a list of up to ${String(itemsMax)} whole numbers from ${String(floor)} to ${String(ceiling)}`,
    by,
    tenantMay: tenantMay === true,
  };
}

type SwitchSpec = Common & {
  readonly default: boolean;
  readonly byChannel: Readonly<Record<ChannelName, boolean>>;
};

export function switchRow({ tenantMay, by = [], ...spec }: SwitchSpec): SettingRow<boolean> {
  return {
    summary: spec.summary,
    unit: 'yes or no',
    default: spec.default,
    byChannel: spec.byChannel,
    schema: z.boolean(),
    allowed: 'true or false',
    by,
    tenantMay: tenantMay === true,
  };
}

type Breaker = Readonly<
  Record<
    'windowMs' | 'failureShare' | 'samplesMin' | 'openMs' | 'openMsMax' | 'probeMs' | 'recheckMs',
    number
  >
>;

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** The seven numbers of a circuit breaker. */
export function breakerRows(defaults: Breaker, by: readonly Dimension[], probeFloorMs: number) {
  const ms = (name: keyof Breaker, [floor, ceiling]: readonly [number, number], summary: string) =>
    numberRow({ summary, unit: 'ms', default: defaults[name], floor, ceiling, by });
  return {
    windowMs: ms('windowMs', [SECOND, 10 * 60 * SECOND], 'Calls of so long count together'),
    failureShare: numberRow({
      summary: 'Opens at this share of failures',
      unit: 'share',
      default: defaults.failureShare,
      ...{ floor: 0.05, ceiling: 1, by },
    }),
    samplesMin: numberRow({
      summary: 'Opens after so many calls at the earliest',
      unit: 'count',
      default: defaults.samplesMin,
      ...{ floor: 1, ceiling: 1_000, by },
    }),
    openMs: ms('openMs', [100, HOUR], 'Pause when it opens; doubled each time that it opens again'),
    openMsMax: ms('openMsMax', [100, 24 * HOUR], 'Longest such pause'),
    probeMs: ms(
      'probeMs',
      [probeFloorMs, 10 * 60 * SECOND],
      'A probe is taken for lost after this',
    ),
    recheckMs: ms(
      'recheckMs',
      [100, 60 * SECOND],
      'Who finds a probe under way asks again after this',
    ),
  } as const;
}
