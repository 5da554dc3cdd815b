/**
 * Named places at commit edges where a test may stop the process or throw. In production the
 * dependency is `noFailpoint`, a call to an empty function.
 */
export const FAILPOINTS = [
  'ingest.before-insert',
  'ingest.after-insert',
  'settle.before-transaction',
  'settle.in-transaction',
  'settle.before-commit',
  'settle.after-commit',
  'settle.after-publish',
  'saga.before-claim',
  'saga.after-claim',
  'saga.before-call',
  'saga.after-call',
  'saga.before-journal',
  'saga.after-journal',
  'saga.in-transaction',
  'saga.before-commit',
  'saga.after-commit',
  'saga.after-publish',
  'recovery.before-redispatch',
  'recovery.after-redispatch',
  'notify.after-insert',
  'notify.after-publish',
  'notify.after-claim',
  'notify.after-send',
  'notify.after-journal',
  'notify.before-requeue',
  'rebuild.before-write',
] as const;

export type FailpointName = (typeof FAILPOINTS)[number];
export type Failpoint = (name: FailpointName) => Promise<void> | void;

export const noFailpoint: Failpoint = () => undefined;

/**
 * `NAME[@N][,NAME…]`: at the N-th pass (default the first) of the failpoint, SIGKILL this process.
 * Used by the fault tests through the environment of real processes.
 *
 * @throws Error when a name or a number is wrong, so that a misspelt test cannot pass by doing nothing.
 */
export function killingFailpoint(spec: string, kill: () => void): Failpoint {
  const remaining = new Map<string, number>();
  for (const item of spec.split(',')) {
    const [name = '', count = '1'] = item.trim().split('@');
    if (!FAILPOINTS.some((known) => known === name)) throw new Error(`unknown failpoint "${name}"`);
    if (!/^[1-9]\d*$/.test(count)) throw new Error(`"${count}" is no number of passes`);
    remaining.set(name, Number.parseInt(count, 10));
  }
  return (name) => {
    const left = remaining.get(name);
    if (left === undefined) return;
    if (left <= 1) kill();
    remaining.set(name, left - 1);
  };
}
