import type { Difference } from '../rebuild/differences.ts';
import type { RebuildTally } from '../rebuild/report.ts';

/** Something stored that is not what the log says, or a log that contradicts itself. */
export interface Drift {
  /** `log`: an entry, or a wallet's row of them. */
  readonly kind: Difference['kind'] | 'log';
  readonly id: string;
  readonly tenantId: string;
  /** What differs, for a person; without amounts of others. */
  readonly detail: string;
}

export function driftKey({ kind, id }: Pick<Drift, 'kind' | 'id'>): string {
  return `${kind}/${id}`;
}

/** What a page found, in the words of a log line. Pure. */
export function driftsOf(tally: RebuildTally, tenantId: string): readonly Drift[] {
  return [
    ...tally.differences.map((difference) => ({
      ...{ kind: difference.kind, id: difference.id, tenantId: difference.tenantId },
      detail: detailOf(difference),
    })),
    ...tally.damage.map(({ check, id, detail }) => ({
      ...{ kind: 'log' as const, id, tenantId, detail: `${check}: ${detail}` },
    })),
  ];
}

function detailOf({ fields }: Difference): string {
  if (fields === undefined) return 'it is not there';
  return fields
    .map(({ field, stored, rebuilt }) => `${field} ${shown(stored)}, not ${shown(rebuilt)}`)
    .join('; ');
}

function shown(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'absent');
}
