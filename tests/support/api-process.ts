import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { pickPort } from '../../scripts/dev/servers/ports.ts';
import { ADMIN_KEY } from './api.ts';
import type { TestDatabase } from './database.ts';
import { ROOT } from './tidy/tree.ts';
import { until } from './wait.ts';

export interface ApiProcess {
  readonly url: string;
  kill(signal: NodeJS.Signals): void;
  /** How it ended; waits for it. */
  readonly ended: Promise<NodeJS.Signals | number | undefined>;
}

/** A real API process on the test's database, once it answers; stopped when the test ends. */
export async function spawnApi(database: TestDatabase): Promise<ApiProcess> {
  const port = await pickPort([]);
  const child = spawn(process.execPath, ['--import', 'tsx', 'api/main.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      PORT: String(port),
      MONGO_URL: database.mongoUrl,
      REDIS_URL: database.redisUrl,
      MONGO_DB: database.name,
      QUEUE_PREFIX: database.name,
      BOOTSTRAP_API_KEY: ADMIN_KEY,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit').then(
    ([code, signal]: (NodeJS.Signals | number | null)[]) => signal ?? code ?? undefined,
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await until(isUp, 'the API process is ready', 30_000);
  return { url, ended, kill: (signal) => child.kill(signal) };
}
