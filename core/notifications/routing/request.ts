import type { Json } from '../../kernel/canonical.ts';
import type { OperationId } from '../../kernel/ids.ts';
import type { Content } from '../delivery/delivery.ts';
import type { Channel } from '../ports.ts';

/** The input of a `notification.send`, as its schema has stored it. */
export interface RequestInput {
  readonly channels: readonly Exclude<Channel, 'webhook'>[];
  readonly userId?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly template?: string;
  readonly content?: Content;
  readonly data?: Readonly<Record<string, Json>>;
  readonly category?: string;
  readonly locale?: string;
}

/** An accepted request to send something. */
export interface SendRequest {
  readonly operationId: OperationId;
  readonly input: RequestInput;
  /** The deadline of its operation: too late from then on. */
  readonly deadline?: Date;
}

/** Category of what is sent on request and names none. */
export const MESSAGES_CATEGORY = 'messages';
