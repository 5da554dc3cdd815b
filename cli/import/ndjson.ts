import { findInJson } from '../../core/kernel/json-text.ts';
import { readLines } from './lines.ts';
import {
  type Content,
  type Item,
  LINE_BYTES_MAX,
  type SourceRecord,
  TEXT_PROBLEMS,
} from './record.ts';

/**
 * One JSON object per line. Empty lines are passed over, and so is what JSON does not count as space
 * around an object (byte order marks of files put together); what is wrong is told line by line.
 */
export async function* readNdjson(source: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRecord> {
  for await (const { number, text, endByte, problem } of readLines(source, LINE_BYTES_MAX)) {
    const place = { line: number, text, endByte };
    if (problem !== undefined) yield { ...place, problem: TEXT_PROBLEMS[problem] };
    else if (text.trim() !== '') yield { ...place, ...parseItem(text.trim()) };
  }
}

function parseItem(text: string): Content {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    const where = position === undefined ? '' : `, at character ${position}`;
    return { problem: { code: 'invalid_json', detail: `The line is not valid JSON${where}` } };
  }
  // What the API would see of it is what we write: a number that is rounded here is rounded for good.
  const lost = findInJson(text);
  if (lost !== undefined) {
    const { code, detail, pointer } = lost;
    return { problem: { code, pointer, detail: `The line ${detail}` } };
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { item: value as Item }; // an object, so its keys are strings
  }
  const detail = 'The line is JSON, but not an object like {"type": …, "input": {…}}';
  return { problem: { code: 'invalid_request', detail } };
}
