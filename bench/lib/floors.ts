/**
 * What CI demands at small sizes: about half of what is measured there, so that it holds on a machine that
 * others use. To be raised when a figure has become better; the targets are what it is to become. Rates
 * count only where others leave most of the machine; CPU per operation (of Node, mongod and Redis
 * together) does everywhere.
 */
export const FLOORS = {
  deposits: 0.5,
  'deposits, by CPU': 0.55,
  withdrawals: 0.7,
  'withdrawals, by CPU': 0.8,
  webhooks: 0.65,
  'webhooks, by CPU': 0.8,
  'webhooks beside a third that refuses': 0.4,
  'webhooks beside a third that refuses, by CPU': 0.3,
} as const;
