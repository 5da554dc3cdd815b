/** The kinds of documents that are rebuilt, by the name of their collection. */
export type RebuiltKind = 'wallets' | 'transfers' | 'holds';

/** One field of a document that is not what the log says. */
export interface FieldDifference {
  readonly field: string;
  readonly stored: unknown;
  readonly rebuilt: unknown;
}

export interface Difference {
  readonly kind: RebuiltKind;
  readonly id: string;
  readonly tenantId: string;
  /** Absent: the document is not there. */
  readonly fields?: readonly FieldDifference[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields that a rebuilt document may lack. Others that are stored and unknown here are let be. */
const OPTIONAL = ['description', 'expiresAt', 'managedBy'] as const;

/** Where a stored document differs from the rebuilt one; undefined: it does not. Pure. */
export function fieldsThatDiffer(
  stored: object,
  rebuilt: object,
): readonly FieldDifference[] | undefined {
  const [before, after] = [stored as Fields, rebuilt as Fields];
  const names = new Set([...Object.keys(after), ...OPTIONAL]);
  const found = [...names].flatMap((field) =>
    isSame(before[field], after[field])
      ? []
      : [{ field, stored: before[field], rebuilt: after[field] }],
  );
  return found.length === 0 ? undefined : found;
}

/** By type too: an amount that was stored as a double is not the amount. */
function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  return a === b;
}
