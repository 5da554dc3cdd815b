export type { BulkItem, BulkOptions, BulkResult } from './bulk.ts';
export { type SluiceClient, createClient } from './client.ts';
export type { Clock } from './clock.ts';
export {
  type ClientErrorCode,
  type FieldError,
  IdempotencyConflictError,
  type Problem,
  SluiceError,
  type SluiceErrorCode,
} from './errors.ts';
export type { ErrorCode } from './generated/error-codes.ts';
export type { EventData } from './generated/events.ts';
export type { AtomicType, OperationInputs, SignalData } from './generated/operations.ts';
export type { Amount, Envelope, Instant } from './inputs.ts';
export { type KeyStore, createMemoryKeyStore } from './key-store.ts';
export type { List, ListOptions, OrderedListOptions, Page } from './list.ts';
export type * from './models.ts';
export {
  AMOUNT_MAX,
  type FormatOptions,
  type MoneyOptions,
  exponentOf,
  formatMoney,
  money,
  toMajor,
} from './money.ts';
export type * from './notifications.ts';
export type * from './operation.ts';
export type {
  ActOptions,
  OperationFilter,
  Operations,
  ResolveOperation,
  RetryOperation,
  SubmitOptions,
  Submitted,
  WriteOptions,
} from './operations.ts';
export type { ClientOptions, Fetch } from './options.ts';
export type {
  BalanceReads,
  Holds,
  Resources,
  Submit,
  SubmitAbout,
  Transfers,
  Users,
  Wallets,
} from './resources.ts';
export type { RetryOptions } from './retry.ts';
export type { EventStream, SluiceEvent, StreamGap, StreamOptions } from './stream.ts';
export type { CallOptions } from './transport.ts';
export { type Outcome, type WaitForOptions } from './wait-for.ts';
export {
  type VerifyWebhookOptions,
  type WebhookErrorCode,
  type WebhookEvent,
  type WebhookHeaders,
  WebhookVerificationError,
  verifyWebhook,
} from './webhooks.ts';
