import { z } from 'zod';
import { isOperationId } from '../../../core/kernel/ids.ts';
import { readTimeKey } from '../../../core/kernel/time-order.ts';
import { DELIVERY_STATUSES, isDeliveryId } from '../../../core/notifications/delivery/delivery.ts';
import { CHANNELS } from '../../../core/notifications/ports.ts';
import { instant, userId } from '../../../core/operations/inputs.ts';

/** What cursors of deliveries hold. */
export const isDeliveryKey = (text: string): boolean =>
  readTimeKey(text, isDeliveryId) !== undefined;

const time = instant.transform((text) => new Date(text));

/** What deliveries are chosen by, in a list and in a replay. */
export const deliveryFilter = {
  status: z.enum(DELIVERY_STATUSES).exactOptional(),
  channel: z.enum(CHANNELS).exactOptional(),
  userId: userId.exactOptional(),
  operationId: z.string().refine(isOperationId, 'must be an operation id').exactOptional(),
  endpointId: z
    .string()
    .regex(/^whk_[0-9a-f]{32}$/, 'must be the id of a webhook endpoint')
    .exactOptional(),
  createdAfter: time.exactOptional(),
  createdBefore: time.exactOptional(),
};
