import { InvariantError } from './errors.ts';

/** Throws InvariantError unless the condition holds. Stays on in production. */
export function assert(
  condition: boolean,
  message: string,
  context?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantError(message, context);
}

/** The value, or an InvariantError when it is absent: for what an invariant says must be there. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === undefined || value === null) throw new InvariantError(`${what} is absent`);
  return value;
}

/** Closes a switch over a union: a new member becomes a compile error. */
export function assertNever(value: never): never {
  throw new InvariantError(`unhandled case: ${String(value)}`);
}
