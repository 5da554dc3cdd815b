import { LIMITS } from './limits.ts';

/** What one kind of trouble may take up of so many sagas: the rest stays for the others. */
export interface SagaShares {
  /** Calls under way to one provider. */
  readonly inFlightMax: number;
  /** The same where a setting asks for more: others keep three quarters. */
  readonly mostMax: number;
  /** Who waits for a place at one provider, and at all of them. */
  readonly lineMax: number;
  readonly linesMax: number;
  /** Who sleeps through a pause; and who does because a provider is busy. */
  readonly sleepersMax: number;
  readonly busyMax: number;
}

export function sagaShares(concurrency: number): SagaShares {
  const shareOf = (max: number): number =>
    Math.max(1, Math.floor((max * concurrency) / LIMITS.sagaConcurrency));
  return {
    inFlightMax: shareOf(LIMITS.paymentInFlightMax),
    mostMax: Math.max(1, Math.floor(concurrency / 4)),
    lineMax: shareOf(LIMITS.paymentLineMax),
    linesMax: shareOf(LIMITS.paymentLinesMax),
    sleepersMax: shareOf(LIMITS.sagaSleepersMax),
    busyMax: shareOf(LIMITS.paymentBusyMax),
  };
}
