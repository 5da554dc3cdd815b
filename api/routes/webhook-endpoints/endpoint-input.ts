import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { FILTER_PATTERN } from '../../../core/notifications/event-rules.ts';

/** What an endpoint is made of. Whether the URL may be called is asked afterwards. */
export const endpointFields = {
  url: z.url({ protocol: /^https?$/ }).max(LIMITS.webhookUrlCharsMax),
  events: z
    .array(z.string().max(100).regex(FILTER_PATTERN, 'must be `*`, `transfer.*` or an event'))
    .min(1)
    .max(LIMITS.webhookFiltersMax),
  description: z.string().max(LIMITS.descriptionCharsMax).exactOptional(),
};
