import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { EVENT_NAMES } from '../../../core/events/catalog.ts';
import { isKnownFilter } from '../../../core/notifications/routing/event-names.ts';
import { FILTER_PATTERN } from '../../../core/notifications/routing/event-rules.ts';

const known = `must be \`*\`, a group such as \`transfer.*\`, or one of ${EVENT_NAMES.join(', ')}`;

const filter = z
  .string()
  .max(100)
  .refine((text) => FILTER_PATTERN.test(text) && isKnownFilter(text), known);

/** What an endpoint is made of. Whether the URL may be called is asked afterwards. */
export const endpointFields = {
  url: z.url({ protocol: /^https?$/ }).max(LIMITS.webhookUrlCharsMax),
  events: z.array(filter).min(1).max(LIMITS.webhookFiltersMax),
  description: z.string().max(LIMITS.descriptionCharsMax).exactOptional(),
};
