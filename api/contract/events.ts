import { z } from 'zod';
import type { EventSpec } from '../../core/events/catalog.ts';
import { eventSchema } from './timeline.ts';

/** An event as it is sent: what is recorded, and what delivery adds to it. */
export function eventOf(name: string, data: EventSpec['data']): z.ZodType {
  const told = data instanceof z.ZodObject ? z.object(data.shape).catchall(z.string()) : data;
  return z.strictObject({ ...eventSchema.shape, type: z.literal(name), data: told });
}
