import type { Attempt, DeferralCode, DeliveryId, FinalStatus } from './delivery.ts';

interface Record {
  readonly attempts: readonly Attempt[];
  /** Attempts that count. */
  readonly used: 0 | 1;
}

export interface Reason {
  readonly code: string;
  readonly detail: string;
}

export type DeliveryChange =
  | (Record & { readonly kind: 'final'; readonly status: FinalStatus; readonly reason?: Reason })
  | (Record & {
      readonly kind: 'pending';
      readonly delayMs: number;
      /** Its life begins anew when it is due; never beyond its deadline. */
      readonly lifeMs?: number;
      /** The other side wants it later. */
      readonly isThrottled?: true;
      readonly reason?: Reason;
      /** By that pause. */
      readonly pausedBy?: string;
      readonly deferral?: { readonly code: DeferralCode; readonly provider?: string };
    });

/** One compare-and-set. With `owner`: the claim's; without: nobody has it. */
export interface DeliveryWrite {
  readonly id: DeliveryId;
  readonly owner?: string;
  /** Of its generation: times that a person has had it sent again. */
  readonly resends?: number;
  /** Of the job in which it comes again. */
  readonly jobId?: string;
  readonly change: DeliveryChange;
}
