import { useEffect, useState } from 'preact/hooks';
import { call, problemOf } from './api.ts';
import { tenant } from './state.ts';
import type { Problem } from './types.ts';

export interface Called<T> {
  /** What came last; stays while it is asked for again. */
  readonly data: T | undefined;
  readonly problem: Problem | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface State<T> {
  readonly of: string;
  readonly data?: T;
  readonly problem?: Problem;
}

/** Reads an endpoint, again when its address or the tenant changes, and every `everyMs` if given. */
export function useCall<T>(path: string | undefined, everyMs?: number): Called<T> {
  const [state, setState] = useState<State<T>>({ of: '' });
  const [times, setTimes] = useState(0);
  const wanted = path === undefined ? '' : `${tenant.value} ${path}`;

  useEffect(() => {
    if (path === undefined) return undefined;
    const gone = new AbortController();
    call<T>(path, { signal: gone.signal }).then(
      (data) => setState({ of: wanted, data }),
      (error: unknown) => {
        if (gone.signal.aborted) return;
        const problem = problemOf(error);
        // What is there already is worth more than an empty page.
        setState((old) => (old.of === wanted ? { ...old, problem } : { of: wanted, problem }));
      },
    );
    return () => gone.abort();
  }, [wanted, times]);

  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) setTimes((old) => old + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);

  const isOfThis = state.of === wanted;
  return {
    data: isOfThis ? state.data : undefined,
    problem: isOfThis ? state.problem : undefined,
    isLoading: path !== undefined && !isOfThis,
    reload: () => setTimes((old) => old + 1),
  };
}
