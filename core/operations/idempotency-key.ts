import { LIMITS } from '../../config/limits.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';

const PRINTABLE = /^[\x20-\x7e]+$/;

/** 1 to 255 printable ASCII characters, compared exactly. `pointer` says where it came from. */
export function checkIdempotencyKey(text: unknown, pointer?: string): Result<string> {
  const at = (detail: string) => (pointer === undefined ? undefined : [{ pointer, detail }]);
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
