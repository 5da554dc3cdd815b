import type { Hold } from './generated/ledger.ts';
import type { DeliveryBrief } from './generated/notifications.ts';
import type { Operation } from './generated/operation-models.ts';
import type { OperationInputs } from './generated/operations.ts';

/** Parts of documents that calls are about. */

export type OperationType = keyof OperationInputs;
export type WaitingFor = NonNullable<Operation['waitingFor']>;
export type HoldStatus = Hold['status'];
export type DeliveryStatus = DeliveryBrief['status'];
export type Channel = DeliveryBrief['channel'];
