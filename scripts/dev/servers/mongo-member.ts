import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { withMember } from './replica-set.ts';
import type { MongodBinary } from './mongod-binary.ts';
import { LOCAL_HOST } from './ports.ts';
import type { Log } from './report.ts';
import { extendServer, startServer, type LocalServer } from './server-process.ts';
import type { Watchdog } from './watchdog.ts';
import {
  createWinePrefix,
  removeWinePrefix,
  stopWineserver,
  toWinePath,
  wineEnvironment,
} from './wine.ts';

export type MemberOptions = {
  readonly name: string;
  readonly folder: string;
  readonly port: number;
  /** Without it the member runs outside its set. */
  readonly replSet?: string;
  readonly binary: MongodBinary;
  readonly cacheGb: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly watchdog: Watchdog;
  readonly restartOnCrash: boolean;
};

export type MongoMember = LocalServer & {
  /** Ends it at once, without a thought for its data. */
  discard(): Promise<void>;
};

const SHUTDOWN_TIMEOUT_MS = 12_000;

/** Starts one mongod and waits until it answers; the set may not be formed yet. */
export async function startMember(options: MemberOptions): Promise<MongoMember> {
  const { binary, folder, env } = options;
  const prefix = join(folder, 'wine');
  mkdirSync(join(folder, 'db'), { recursive: true });
  if (binary.kind === 'wine') createWinePrefix(prefix);
  const args = listArguments(options);
  const server = await startServer({
    ...options,
    command: binary.kind === 'wine' ? binary.tools.wine : binary.path,
    args: binary.kind === 'wine' ? [toWinePath(binary.path), ...args] : args,
    env: binary.kind === 'wine' ? wineEnvironment(prefix, env) : env,
    isReady: async () => doesAnswer(options.port),
    // Under wine SIGTERM would end it as abruptly as SIGKILL; the command works everywhere.
    askToStop: async (running) => {
      await askToShutDown(options.port);
      await running.waitForExit(SHUTDOWN_TIMEOUT_MS);
    },
  });
  const endWine = async (): Promise<void> => {
    if (binary.kind === 'wine') await stopWineserver(binary.tools, prefix);
  };
  const stop = async (): Promise<void> => {
    await server.stop();
    await endWine();
  };
  return extendServer(server, {
    stop,
    discard: async () => {
      server.kill('SIGKILL');
      await stop();
      if (binary.kind === 'wine') removeWinePrefix(prefix);
    },
  });
}

function listArguments(options: MemberOptions): string[] {
  const { binary, port, replSet, cacheGb } = options;
  const data = join(options.folder, 'db');
  const parameters = {
    // Its thread crashes mongod under wine within seconds, and nobody reads its files here.
    diagnosticDataCollectionEnabled: 'false',
    // A worker killed inside a transaction blocks what it wrote until the server gives it up: the
    // default of 60 s is longer than a repair may take.
    transactionLifetimeLimitSeconds: '15',
    ...options.parameters,
  };
  return [
    ...['--dbpath', binary.kind === 'wine' ? toWinePath(data) : data],
    ...['--port', String(port), '--bind_ip', LOCAL_HOST],
    ...(replSet === undefined ? [] : ['--replSet', replSet]),
    ...['--wiredTigerCacheSizeGB', String(cacheGb), '--quiet'],
    // Otherwise two users of one machine meet in the temporary folder.
    ...(binary.kind === 'wine' ? [] : ['--nounixsocket']),
    ...Object.entries(parameters).flatMap(([name, value]) => [
      '--setParameter',
      `${name}=${value}`,
    ]),
  ];
}

async function doesAnswer(port: number): Promise<boolean> {
  return withMember(port, async (admin) => (await admin.command({ ping: 1 }))['ok'] === 1);
}

/** The connection breaks instead of an answer, which is the answer. */
async function askToShutDown(port: number): Promise<void> {
  await withMember(port, async (admin) => {
    await admin.command({ shutdown: 1, force: true, timeoutSecs: 1 });
  }).catch(() => undefined);
}
