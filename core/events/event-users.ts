/**
 * Who an event concerns stands in its data under these names, and nowhere else: streams, rules and
 * preferences read them from there, so that no consumer has to ask the database.
 */
export const USER_FIELDS = ['userId', 'fromUserId', 'toUserId'] as const;

/** The users that an input or the data of an event names, by field: what an event passes on. */
export function namedUsers(source: unknown): Readonly<Record<string, string>> {
  const named: Record<string, string> = {};
  if (typeof source !== 'object' || source === null) return named;
  for (const field of USER_FIELDS) {
    const value: unknown = Reflect.get(source, field);
    if (typeof value === 'string') named[field] = value;
  }
  return named;
}

/** What an audience follows from. */
interface Told {
  readonly name: string;
  readonly data?: Readonly<Record<string, string>>;
  /** Stated where the data is not ours: what a client put into a message says nothing of this. */
  readonly users?: readonly string[];
}

/**
 * Who may see an event in a stream of their own; the tenant sees all of them. What has happened
 * concerns whoever it names. Why something did not happen is between us and the one who would have
 * paid: the other side is not told of a payment that failed, nor of what was missing.
 */
export function audienceOf({ name, data = {}, users }: Told): readonly string[] {
  if (users !== undefined) return users;
  const isOutcome = name.startsWith('operation.');
  if (!isOutcome || name === 'operation.succeeded') return [...new Set(usersOf(data))];
  const { type, fromUserId, toUserId, userId } = data;
  const payer = type === 'transfer.reverse' ? toUserId : (fromUserId ?? userId);
  return payer === undefined ? [] : [payer];
}

/** The users that an event names. */
function usersOf(data: Readonly<Record<string, string>> | undefined): readonly string[] {
  return data === undefined ? [] : Object.values(namedUsers(data));
}
