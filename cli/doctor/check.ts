/** What came of one look. `unknown`: it could not be looked at, which another line explains. */
export type CheckStatus = 'ok' | 'warning' | 'problem' | 'unknown';

export interface CheckResult {
  readonly name: string;
  readonly status: CheckStatus;
  readonly detail: string;
  /** In one line, what to do about it. */
  readonly remedy?: string;
}

export const fine = (name: string, detail: string): CheckResult => ({ name, status: 'ok', detail });

export const unknown = (name: string, detail: string): CheckResult => ({
  name,
  status: 'unknown',
  detail,
});

interface Trouble {
  readonly detail: string;
  readonly remedy: string;
}

export const warning = (name: string, trouble: Trouble): CheckResult => ({
  name,
  status: 'warning',
  ...trouble,
});

export const problem = (name: string, trouble: Trouble): CheckResult => ({
  name,
  status: 'problem',
  ...trouble,
});

/** `7.0.37` and the like: at least so much. What is no version is none. */
export function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, a, b] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (a === undefined || b === undefined) return false;
  return Number(a) > major || (Number(a) === major && Number(b) >= minor);
}
