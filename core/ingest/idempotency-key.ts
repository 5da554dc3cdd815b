import { LIMITS } from '../../config/limits.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';

const PRINTABLE = /^[\x20-\x7e]+$/;

/** A quoted string of RFC 9651, which the draft of the header asks for. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * 1 to 255 printable ASCII characters, compared exactly; `"abc"` and `abc` are the same key, wherever
 * it stands. `pointer` says where it came from.
 */
export function checkIdempotencyKey(raw: unknown, pointer?: string): Result<string> {
  const at = (detail: string) => (pointer === undefined ? undefined : [{ pointer, detail }]);
  const text = typeof raw === 'string' && raw.startsWith('"') ? unquoted(raw) : raw;
  if (text === null) {
    const detail = 'starts with a quote that is not closed';
    return refuse('idempotency_key_invalid', `The key ${detail}`, at(detail));
  }
  if (text === undefined || text === '') {
    const detail = 'Every write names its own key, so that repeating it is safe';
    return refuse('idempotency_key_required', detail, at('is required'));
  }
  const max = LIMITS.idempotencyKeyCharsMax;
  if (typeof text !== 'string' || text.length > max || !PRINTABLE.test(text)) {
    const detail = `must be 1 to ${max} printable ASCII characters`;
    return refuse('idempotency_key_invalid', `The key ${detail}`, at(detail));
  }
  return ok(text);
}

/** What is between the quotes, or null when they are not closed. */
function unquoted(text: string): string | null {
  const inner = QUOTED.exec(text)?.[1];
  return inner === undefined ? null : inner.replaceAll(/\\(["\\])/g, '$1');
}
