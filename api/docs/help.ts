import { ERRORS, type ErrorCode } from '../../core/kernel/errors.ts';
import type { Help } from './help-text.ts';
import { OUTCOME_HELP } from './help-outcomes.ts';
import { REQUEST_HELP } from './help-requests.ts';

/** In Markdown. Every code has one of its own; one that is new says at least what its row says. */
export function helpOf(code: ErrorCode): Help {
  const own = ownHelp(code);
  if (own !== undefined) return own;
  const { title, retry } = ERRORS[code];
  return {
    meaning: `${title}.`,
    action: retry === 'never' ? 'The same request fails again.' : 'Send the same request again.',
  };
}

/** Undefined: nobody has written it yet. */
export function ownHelp(code: string): Help | undefined {
  if (Object.hasOwn(REQUEST_HELP, code)) return REQUEST_HELP[code];
  return Object.hasOwn(OUTCOME_HELP, code) ? OUTCOME_HELP[code] : undefined;
}

/** For the test that there is none too many. */
export const HELP_CODES: readonly string[] = [
  ...Object.keys(REQUEST_HELP),
  ...Object.keys(OUTCOME_HELP),
];

const RETRY = {
  never: 'No: the same request can only fail again.',
  backoff: 'Yes, with the same idempotency key and a pause that grows.',
  after: 'Yes, with the same idempotency key, after as long as `Retry-After` says.',
} as const;

export function retryText(code: ErrorCode): string {
  return RETRY[ERRORS[code].retry];
}
