import { LIMITS } from '../../config/limits.ts';
import { pointerSegment } from './canonical.ts';
import { isKept } from './json-number.ts';

/** What is wrong with a JSON text, valid or not. */
export interface JsonFinding {
  readonly code: 'too_deep' | 'invalid_encoding' | 'invalid_request';
  readonly pointer: string;
  readonly detail: string;
  /** Said of its shape alone: it is refused without being parsed. */
  readonly isShape: boolean;
}

/**
 * Finds what `JSON.parse` takes without a word and then loses or chokes on: a name that is there
 * twice, a number that no double holds, half a surrogate pair, depth and width without end. One
 * pass over the text, since what comes out of the parser no longer knows.
 *
 * In a text that is not valid JSON only what it says of the shape means anything.
 */
export function findInJson(text: string): JsonFinding | undefined {
  const place = createPlace();
  let first: JsonFinding | undefined;
  let at = 0;
  while (at < text.length) {
    const found = FINDERS[text.charCodeAt(at)]?.(text, at, place);
    if (found?.isShape === true) return found;
    first ??= found;
    at = Math.max(at + 1, place.end);
  }
  return first;
}

/** An object or array that is open where the scan stands. */
interface Level {
  readonly names: Set<string> | undefined;
  /** The last name, or the index. */
  key: string | number;
}

interface Place {
  readonly levels: Level[];
  values: number;
  isNameNext: boolean;
  /** Where the scan goes on, when what was looked at is longer than a character. */
  end: number;
}

function createPlace(): Place {
  return { levels: [], values: 0, isNameNext: false, end: 0 };
}

type Finder = (text: string, at: number, place: Place) => JsonFinding | undefined;

function finding(
  code: JsonFinding['code'],
  detail: string,
  { levels }: Pick<Place, 'levels'>,
): JsonFinding {
  const pointer = levels.map(({ key }) => `/${pointerSegment(key)}`).join('');
  return { code, pointer, detail, isShape: false };
}

function shape(code: JsonFinding['code'], detail: string, place: Pick<Place, 'levels'>) {
  return { ...finding(code, detail, place), isShape: true };
}

function open(place: Place, isObject: boolean): JsonFinding | undefined {
  if (place.levels.length >= LIMITS.jsonDepthMax) {
    return shape('too_deep', `is nested more than ${LIMITS.jsonDepthMax} levels deep`, place);
  }
  place.levels.push({ names: isObject ? new Set() : undefined, key: 0 });
  place.isNameNext = isObject;
  return count(place);
}

function close(place: Place): undefined {
  place.levels.pop();
  place.isNameNext = false;
}

function next(place: Place): undefined {
  const level = place.levels.at(-1);
  place.isNameNext = level?.names !== undefined;
  if (typeof level?.key === 'number') level.key += 1;
}

function count(place: Place): JsonFinding | undefined {
  place.values += 1;
  if (place.values <= LIMITS.jsonValuesMax) return undefined;
  const detail = `holds more than ${LIMITS.jsonValuesMax} values`;
  return shape('invalid_request', detail, { levels: [] });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function takeText(text: string, at: number, place: Place): JsonFinding | undefined {
  let end = at + 1;
  let isEscaped = false;
  let isTorn = false;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) break;
    if (code !== BACKSLASH) continue;
    isEscaped = true;
    const pair = SURROGATES.exec(text.slice(end, end + 2 * ESCAPE_CHARS));
    // The text came as UTF-8, which has no surrogates: only an escape can bring half of a pair in.
    const isWhole = pair?.[1] !== undefined;
    isTorn ||= pair !== null && !isWhole;
    end += isWhole ? 2 * ESCAPE_CHARS - 1 : 1;
  }
  place.end = end + 1;
  if (place.isNameNext) return takeName(text.slice(at, end + 1), { isEscaped, isTorn }, place);
  return isTorn ? notText(place.levels) : count(place);
}

const ESCAPE_CHARS = 6;
/** An escaped half of a surrogate pair at the start; the other half behind it, if it is there. */
const SURROGATES =
  /^\\u[dD][89a-fA-F][\da-fA-F]{2}(?:(?<=[89abAB]..)(\\u[dD][c-fC-F][\da-fA-F]{2}))?/;

interface Spelling {
  readonly isEscaped: boolean;
  readonly isTorn: boolean;
}

function takeName(
  raw: string,
  { isEscaped, isTorn }: Spelling,
  place: Place,
): JsonFinding | undefined {
  place.isNameNext = false;
  const level = place.levels.at(-1);
  if (level?.names === undefined) return undefined;
  const outer = place.levels.slice(0, -1);
  if (isTorn) return notText(outer);
  const name = isEscaped ? unescaped(raw) : raw.slice(1, -1);
  level.key = name;
  if (name === '__proto__') return finding('invalid_request', 'is not a known field', place);
  if (level.names.has(name)) return finding('invalid_request', 'is there more than once', place);
  level.names.add(name);
  if (level.names.size <= LIMITS.jsonMembersMax) return undefined;
  const detail = `has more than ${LIMITS.jsonMembersMax} members`;
  return shape('invalid_request', detail, { levels: outer });
}

function unescaped(raw: string): string {
  try {
    return String(JSON.parse(raw));
  } catch {
    return raw; // not JSON: the parser will say so
  }
}

function notText(levels: readonly Level[]): JsonFinding {
  const detail = 'holds half a surrogate pair, which is not text';
  return finding('invalid_encoding', detail, { levels: [...levels] });
}

const NUMBER = /[-+.\deE]+/y;

function takeNumber(text: string, at: number, place: Place): JsonFinding | undefined {
  NUMBER.lastIndex = at;
  const [literal = ''] = NUMBER.exec(text) ?? [];
  place.end = at + literal.length;
  if (isKept(literal)) return count(place);
  return finding('invalid_request', 'would be rounded as a number: send it as a string', place);
}

/** By the first character of what they look at. */
const FINDERS: readonly (Finder | undefined)[] = Array.from({ length: 0x80 }, (_, code) =>
  finderOf(String.fromCharCode(code)),
);

function finderOf(first: string): Finder | undefined {
  switch (first) {
    case '{':
      return (_text, _at, place) => open(place, true);
    case '[':
      return (_text, _at, place) => open(place, false);
    case '}':
    case ']':
      return (_text, _at, place) => close(place);
    case ',':
      return (_text, _at, place) => next(place);
    case '"':
      return takeText;
    case 't':
    case 'f':
    case 'n':
      return (_text, _at, place) => count(place); // each letter once: true, false and null
    default:
      return /[-\d]/.test(first) ? takeNumber : undefined;
  }
}
