import { z } from 'zod';
import type { Log } from '../../scripts/dev/servers/report.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';

const listSchema = z.object({
  payments: z.array(z.object({ kind: z.string(), status: z.string(), deliveries: z.int() })),
});

/** The payment provider of the repository in a process of its own, the same for both sides. */
export interface ProviderProcess {
  readonly process: BenchProcess;
  readonly env: Readonly<Record<string, string>>;
  /** Calls by kind; `repeated`: keys that were sent more than once, or did not succeed. */
  calls(): Promise<Readonly<Record<string, number>>>;
}

export async function startProviderProcess(log: Log): Promise<ProviderProcess> {
  const process = startProcess({
    script: 'scripts/dev/sandbox/main.ts',
    env: {},
    log: (line) => {
      if (!line.includes('sandbox provider: ')) log(line);
    },
  });
  const urlOf = (): string | undefined =>
    process.lines.flatMap((line) => /^sandbox provider: (\S+)$/.exec(line)?.[1] ?? [])[0];
  await until('the payment provider listens', () => urlOf() !== undefined);
  const url = urlOf() ?? '';
  return {
    process,
    env: { SANDBOX_URL: url },
    calls: async () => {
      const { payments } = listSchema.parse(await (await fetch(`${url}/payments`)).json());
      const counts: Record<string, number> = { repeated: 0 };
      for (const { kind, status, deliveries } of payments) {
        counts[kind] = (counts[kind] ?? 0) + 1;
        if (deliveries !== 1 || status !== 'succeeded') {
          counts['repeated'] = (counts['repeated'] ?? 0) + 1;
        }
      }
      return counts;
    },
  };
}
