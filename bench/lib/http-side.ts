import { pickPort } from '../../scripts/dev/servers/ports.ts';
import type { Log } from '../../scripts/dev/servers/report.ts';
import type { Arena } from './arena.ts';
import type { Side } from './load.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';

/** Opens nothing but the databases of the bench. */
export const BENCH_KEY = 'slk_bench_not0a0secret0of0anything';

interface ApiOptions {
  readonly side: Side;
  readonly log: Log;
  readonly nodeArgs?: readonly string[];
}

export interface Api extends BenchProcess {
  readonly port: number;
}

/** The API process of a side, once it says that it is ready. */
export async function startApi(arena: Arena, options: ApiOptions): Promise<Api> {
  const { side, log, nodeArgs = [] } = options;
  const port = await pickPort([]);
  const script = side === 'ours' ? 'api/main.ts' : 'bench/baseline/api.ts';
  const env = { ...arena.processEnv, PORT: String(port), BOOTSTRAP_API_KEY: BENCH_KEY };
  const api = startProcess({ script, env, log, nodeArgs });
  await until(`${script} is ready`, () => isReady(port));
  return { ...api, port };
}

async function isReady(port: number): Promise<boolean> {
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
    return status === 200;
  } catch {
    return false; // it does not listen yet
  }
}
