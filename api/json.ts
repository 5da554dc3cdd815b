import { LIMITS } from '../config/limits.ts';
import { pointerSegment } from '../core/kernel/canonical.ts';
import { AppError } from '../core/kernel/errors.ts';

/**
 * Parses JSON and refuses what would hurt further in: nesting, keys that mean something to
 * JavaScript, text that UTF-8 cannot carry. `prefix` is the pointer of the value itself.
 *
 * @throws AppError `invalid_json`, `too_deep`, `invalid_encoding` or `invalid_request`.
 */
export function parseJson(text: string, prefix = ''): unknown {
  const value = parse(text, prefix);
  // The text came as UTF-8, which has no surrogates: only an escape can bring half of a pair in.
  inspect(value, { pointer: prefix, depth: 1, isEscaped: text.includes('\\u') });
  return value;
}

function parse(text: string, prefix: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const position =
      error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    const where = position === undefined ? '' : ` (at character ${position})`;
    throw new AppError('invalid_json', `This is not valid JSON${where}`, {
      errors: [{ pointer: prefix, detail: `is not valid JSON${where}` }],
    });
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

interface Place {
  readonly pointer: string;
  readonly depth: number;
  /** Strings may hold what only an escape can say. */
  readonly isEscaped: boolean;
}

function inspect(value: unknown, place: Place): void {
  const { pointer, depth, isEscaped } = place;
  if (isEscaped && typeof value === 'string' && LONE_SURROGATE.test(value)) throw notText(pointer);
  if (typeof value !== 'object' || value === null) return;
  if (depth > LIMITS.jsonDepthMax) {
    const detail = `is nested more than ${LIMITS.jsonDepthMax} levels deep`;
    throw new AppError('too_deep', `The JSON ${detail}`, { errors: [{ pointer, detail }] });
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      inspectMember(value[index], index, place);
    }
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    inspectKey(key, place);
    inspectMember(member, key, place);
  }
}

function inspectKey(key: string, { pointer, isEscaped }: Place): void {
  if (isEscaped && LONE_SURROGATE.test(key)) throw notText(pointer);
  if (key !== '__proto__') return;
  throw new AppError('invalid_request', 'A key of the body is not allowed', {
    errors: [{ pointer: `${pointer}/${key}`, detail: 'is not a known field' }],
  });
}

/** Builds the pointer only where it may be needed: most members are plain numbers and strings. */
function inspectMember(member: unknown, key: string | number, place: Place): void {
  const { pointer, depth, isEscaped } = place;
  const isNested = typeof member === 'object' && member !== null;
  const isBadText = isEscaped && typeof member === 'string' && LONE_SURROGATE.test(member);
  if (!isNested && !isBadText) return;
  inspect(member, { pointer: `${pointer}/${pointerSegment(key)}`, depth: depth + 1, isEscaped });
}

function notText(pointer: string): AppError {
  const detail = 'holds half a surrogate pair, which is not text';
  return new AppError('invalid_encoding', 'The body holds text that UTF-8 cannot carry', {
    errors: [{ pointer, detail }],
  });
}
