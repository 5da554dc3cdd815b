/** Of stepwise operations; a part of `LIMITS`. */
export const SAGA_LIMITS = {
  /** Sagas under way in one process, unless the environment says otherwise; and what it may say. */
  sagaConcurrency: 512,
  sagaConcurrencyMin: 8,
  sagaConcurrencyMax: 4_096,
  /** Of them those that may sleep through a pause. */
  sagaSleepersMax: 128,
  /** What they take of the memory, all together; nobody else comes in beyond it. */
  sagaBytesMax: 64 * 1_048_576,
  /** So many journal writes are made without a transaction. */
  sagaWritesAlone: 4,
  /** Looks at tenants that share a read. */
  policyReadsMax: 64,
  policyReadSlots: 2,
} as const;
