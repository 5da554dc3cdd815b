/** A kind of key that Redis keeps for good, and what bounds it. `*`: any text. */
interface LastingKey {
  readonly key: string;
  readonly bound: string;
}

/**
 * Everything that we write to Redis expires, but for these. A test looks at what is there after all
 * kinds of work.
 */
export const LASTING_KEYS: readonly LastingKey[] = [
  { key: ':*:meta', bound: 'one a queue' },
  { key: ':*:id', bound: 'one a queue' },
  { key: ':*:pc', bound: 'one a queue' },
  { key: ':*:marker', bound: 'one a queue' },
  { key: ':*:events', bound: 'a stream of 10,000 at most, one a queue' },
  { key: ':*:wait', bound: 'the backlog' },
  { key: ':*:active', bound: 'the backlog' },
  { key: ':*:delayed', bound: 'the backlog' },
  { key: ':*:prioritized', bound: 'the backlog' },
  { key: ':*:stalled', bound: 'the backlog' },
  { key: ':*:completed', bound: 'as many, and as long, as the table says' },
  { key: ':*:failed', bound: 'as many, and as long, as the table says' },
  { key: ':*:op_*', bound: 'a job, gone with its place in one of the lists' },
  { key: ':*:obx_*', bound: 'a job, gone with its place in one of the lists' },
  { key: ':*:dlvs_*', bound: 'a job, gone with its place in one of the lists' },
  { key: ':*:dlv_*', bound: 'a job, gone with its place in one of the lists' },
  { key: ':recovery:repeat*', bound: 'one a schedule, and its next job' },
  { key: '-sockets', bound: 'a stream of 10,000 at most, one an installation' },
];

/** The kind that a key is of, without the prefix of the installation. */
export function lastingKeyOf(key: string): LastingKey | undefined {
  return LASTING_KEYS.find((one) => {
    const parts = one.key.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 's').test(key);
  });
}
