import type { Plan, Rate } from '../../config/plan.ts';

/** What a request counts as. */
export type RateClass = 'read' | 'write';

/** A bucket of tokens: it fills up steadily, from empty to its quota within the window. */
export interface Bucket {
  /** Names it for all processes. */
  readonly id: string;
  /** Names its policy for clients. */
  readonly policy: string;
  readonly rate: Rate;
}

/** What is left in a bucket. */
export interface Level {
  readonly left: number;
  readonly fullInSeconds: number;
}

/** How the buckets stood after some tokens were asked for. */
export interface Taking {
  /** Of as many as were asked for; all of them, or none, where they only count together. */
  readonly granted: number;
  /** One each, in their order. */
  readonly levels: readonly Level[];
  /** How long until the next one can be had; 0: now. */
  readonly waitMs: number;
  /** Counted by this process alone: the next may be had sooner, where all count together again. */
  readonly isLocal?: true;
}

/** For one kind of request of one key: the buckets that all of its requests take from. */
export interface Lane {
  readonly buckets: readonly Bucket[];
  /** The `RateLimit-Policy` header. */
  readonly policy: string;
}

interface Caller {
  readonly keyId: string;
  readonly tenantId: string;
}

/** Undefined: nothing limits it. Pure. */
export function laneOf(
  { keyId, tenantId }: Caller,
  plan: Plan | undefined,
  kind: RateClass,
): Lane | undefined {
  const { tenant, key } = plan?.[kind] ?? {};
  const own = `${kind}/${tenantId}`;
  const buckets: Bucket[] = [
    ...(tenant === undefined ? [] : [{ id: own, policy: `tenant-${kind}`, rate: tenant }]),
    ...(key === undefined ? [] : [{ id: `${own}/${keyId}`, policy: `key-${kind}`, rate: key }]),
  ];
  if (buckets.length === 0) return undefined;
  const policy = buckets
    .map(({ policy: name, rate }) => `"${name}";q=${rate.quota};w=${rate.windowSeconds}`)
    .join(', ');
  return { buckets, policy };
}

/** The `RateLimit` header. Pure. */
export function rateLimitText({ buckets }: Lane, levels: readonly Level[]): string {
  return buckets
    .map(({ policy }, index) => {
      const { left = 0, fullInSeconds = 0 } = levels[index] ?? {};
      return `"${policy}";r=${Math.max(0, left)};t=${fullInSeconds}`;
    })
    .join(', ');
}
