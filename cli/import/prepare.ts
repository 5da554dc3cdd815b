import { createHash } from 'node:crypto';
import { CliError, EXIT } from '../exit.ts';
import { type Item, LINE_BYTES_MAX, type Place, type Problem, TEXT_PROBLEMS } from './record.ts';
import type { Refs } from './refs.ts';
import type { Prepared } from './sender.ts';

export type Preparation =
  | { readonly kind: 'ready'; readonly prepared: Prepared }
  /** It names a line that is not accepted yet: send that one, then try again. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'refused'; readonly problem: Problem };

/**
 * The key of a line without one: the same line at the same place of the same file is the same
 * operation, so that a file can be imported again after a crash. Two equal lines at different places
 * are two operations.
 */
function lineKey(prefix: string, place: Pick<Place, 'line' | 'text'>): string {
  const identity = `${prefix}\n${String(place.line)}\n${place.text}`;
  return `import-${createHash('sha256').update(identity).digest('hex')}`;
}

/** @throws CliError when keys have to be made and nothing names the source. */
export function prepare(
  item: Item,
  place: Place,
  context: { readonly refs: Refs; readonly keyPrefix: string | undefined },
): Preparation {
  const resolution = context.refs.resolve(item);
  if (resolution.kind !== 'ready') return resolution;
  const { idempotencyKey = keyFor(place, context.keyPrefix), ...rest } = resolution.item;
  const body = JSON.stringify({ idempotencyKey, ...rest });
  if (Buffer.byteLength(body) >= LINE_BYTES_MAX) {
    return { kind: 'refused', problem: TEXT_PROBLEMS['too-long'] };
  }
  const { line, text, endByte } = place;
  const own = resolution.name === undefined ? {} : { name: resolution.name };
  const isKeyMade = resolution.item['idempotencyKey'] === undefined;
  return { kind: 'ready', prepared: { line, text, endByte, body, isKeyMade, ...own } };
}

function keyFor(place: Place, keyPrefix: string | undefined): string {
  if (keyPrefix !== undefined) return lineKey(keyPrefix, place);
  throw new CliError(
    `Line ${String(place.line)} has no idempotencyKey, and standard input has no name to make one ` +
      'from: give --key-prefix, another one for each set of operations.',
    EXIT.usage,
  );
}
