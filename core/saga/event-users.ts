/**
 * Who an event concerns stands in its data under these names, and nowhere else: streams, rules and
 * preferences read them from there, so that no consumer has to ask the database.
 */
const USER_FIELDS = ['userId', 'fromUserId', 'toUserId'] as const;

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

/** The users that an event concerns. */
export function usersOf(data: Readonly<Record<string, string>> | undefined): readonly string[] {
  return data === undefined ? [] : Object.values(namedUsers(data));
}
