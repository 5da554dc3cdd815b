import { PassThrough, Readable } from 'node:stream';
import { runSluice } from '../../cli/program.ts';
import type { Platform } from '../../runtime/platform.ts';

export interface CommandEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `sluice …` in this process, on the database of a platform. */
export async function sluiceOn(
  { env }: Pick<Platform, 'env'>,
  ...args: readonly string[]
): Promise<CommandEnd> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let code = 0;
  await runSluice(args, {
    stdin: Readable.from([]),
    stdout,
    stderr,
    env: { MONGO_URL: env.MONGO_URL, MONGO_DB: env.MONGO_DB },
    dev: undefined,
    exit: (given) => {
      code = given;
    },
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}
