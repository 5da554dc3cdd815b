import { z } from 'zod';

const WINDOW_SECONDS_MAX = 31 * 86_400;
const QUOTA_MAX = 1_000_000_000;

/** So many in so much time: a bucket that holds `quota` and fills up again within the window. */
const rate = z.strictObject({
  quota: z.int().min(1).max(QUOTA_MAX),
  windowSeconds: z.int().min(1).max(WINDOW_SECONDS_MAX),
});
export type Rate = z.infer<typeof rate>;

/** Of one class of requests: of the tenant as a whole, and of each of its keys. */
const rates = z.strictObject({ tenant: rate.exactOptional(), key: rate.exactOptional() });

/** What a tenant may use up. What it does not state has no limit. */
export const planSchema = z.strictObject({
  name: z.string().trim().min(1).max(100).exactOptional(),
  read: rates.exactOptional(),
  write: rates.exactOptional(),
  /** Operations that are accepted and not begun. */
  backlogMax: z.int().min(1).max(QUOTA_MAX).exactOptional(),
});
export type Plan = z.infer<typeof planSchema>;
