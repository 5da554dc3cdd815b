/** Minor units: digits, a safe integer, or a bigint (`money('12.50', 'EUR')`). */
export type Amount = string | number | bigint;

/** A time with its zone, ISO 8601. */
export type Instant = string | Date;

/** What may stand beside the input of any operation. */
export interface Envelope {
  /** A line of your own: operations with the same key settle in order. */
  readonly orderingKey?: string | undefined;
  /** Checked at the moment of settlement. */
  readonly preconditions?:
    | {
        readonly ifAvailableAtLeast?: Amount;
        readonly ifWalletSeq?: number;
        readonly expiresAt?: Instant;
      }
    | undefined;
  /** Not before then. */
  readonly runAt?: Instant | undefined;
  /** Says what would happen, and does nothing. */
  readonly dryRun?: boolean | undefined;
  /** Your own texts; searchable, copied to the entries. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export function envelopeOf(envelope: Envelope): Envelope {
  const { orderingKey, preconditions, runAt, dryRun, metadata } = envelope;
  return { orderingKey, preconditions, runAt, dryRun, metadata };
}
