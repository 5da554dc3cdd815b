import type { SendTools } from '../../core/notifications/ports.ts';
import { createUrlGuard } from '../../core/outbound/url-guard.ts';

/** As delivery calls a provider, with a deadline of the test's own. */
export function tools(deadlineMs = 10_000, key = 'dlv_test', now = Date.now): SendTools {
  return { key, now, signal: AbortSignal.timeout(deadlineMs) };
}

/** Lets this machine be reached and asks no name server. */
export const loopbackGuard = createUrlGuard({
  resolve: async () => Promise.resolve([]),
  allowLoopback: true,
});
