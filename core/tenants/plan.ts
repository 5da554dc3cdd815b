/** So many in so much time: a bucket that holds `quota` and fills up again within the window. */
export interface Rate {
  readonly quota: number;
  readonly windowSeconds: number;
}

/** Of one class of requests: of the tenant as a whole, and of each of its keys. */
export interface ClassRates {
  readonly tenant?: Rate;
  readonly key?: Rate;
}

/** What a tenant may use up. What it does not state has no limit. */
export interface Plan {
  readonly name?: string;
  readonly read?: ClassRates;
  readonly write?: ClassRates;
  /** Operations that are accepted and not begun. */
  readonly backlogMax?: number;
}
