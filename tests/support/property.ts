import { randomInt } from 'node:crypto';
import fc from 'fast-check';

/** The seed of a run, printed. */
export function seedOf(what: string): number {
  const seed = Number(process.env['FC_SEED'] ?? randomInt(2 ** 31));
  console.info(`${what}: FC_SEED=${seed}`);
  return seed;
}

/** Checks a property with a seed that is printed, so that a failure can be run again: FC_SEED=…. */
export function check<T>(
  what: string,
  property: fc.IProperty<T>,
  options: fc.Parameters<T> = {},
): void {
  fc.assert(property, { seed: seedOf(what), ...options });
}

/** The same for a property that awaits something. */
export async function checkAsync<T>(
  what: string,
  property: fc.IAsyncProperty<T>,
  options: fc.Parameters<T> = {},
): Promise<void> {
  await fc.assert(property, { seed: seedOf(what), ...options });
}
