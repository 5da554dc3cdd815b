import { AppError } from '../../core/kernel/errors.ts';
import { type JsonFinding, findInJson } from '../../core/kernel/json-text.ts';

/**
 * Parses JSON and refuses what would hurt further in, or would not be what was written: nesting,
 * width, numbers that a double rounds, names that are there twice, keys that mean something to
 * JavaScript, text that UTF-8 cannot carry. `prefix` is the pointer of the value itself.
 *
 * @throws AppError `invalid_json`, `too_deep`, `invalid_encoding` or `invalid_request`.
 */
export function parseJson(text: string, prefix = ''): unknown {
  const found = findInJson(text);
  if (found?.isShape === true) throw refusal(found, prefix);
  const value = parse(text, prefix);
  if (found !== undefined) throw refusal(found, prefix);
  return value;
}

const TITLES: Readonly<Record<JsonFinding['code'], string>> = {
  too_deep: 'The JSON is nested too deeply',
  invalid_encoding: 'The body holds text that UTF-8 cannot carry',
  invalid_request: 'The body cannot be taken as it is written',
};

function refusal({ code, pointer, detail }: JsonFinding, prefix: string): AppError {
  const at = `${prefix}${pointer}`;
  const where = at === '' ? 'the body' : at;
  return new AppError(code, `${TITLES[code]}: ${where} ${detail}`, {
    errors: [{ pointer: at, detail }],
  });
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
