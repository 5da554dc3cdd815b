import { EnvError, parseEnv } from '../../../config/env.ts';
import { newSecret, newToken } from '../../../core/kernel/ids.ts';
import type { DevFile } from '../../../cli/dev-file.ts';
import { LOCAL_HOST, pickPort } from '../servers/ports.ts';

type Source = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT = 3_000;
const DEFAULT_DB = 'sluice';
/** Typed by a person into the admin page. */
const PASSWORD_CHARS = 16;

/** Made once and kept, so that bookmarks and scripts go on working after a restart. */
export interface Secrets {
  readonly apiKey: string;
  readonly adminPassword: string;
}

export function secretsOf(env: Source, dev: DevFile | undefined): Secrets {
  return {
    apiKey: set(env['BOOTSTRAP_API_KEY']) ?? dev?.apiKey ?? `slk_${newToken()}_${newSecret()}`,
    adminPassword:
      set(env['ADMIN_PASSWORD']) ?? dev?.adminPassword ?? newSecret().slice(0, PASSWORD_CHARS),
  };
}

/**
 * Nothing is started, and nothing kept, that the processes would refuse at every start from then on.
 *
 * @throws Error in one sentence that names the variable, or the file that a value is from.
 */
export function refuseUnusable(env: Source, secrets: Secrets): void {
  const named = { ...env, ...variablesOf(secrets) };
  try {
    parseEnv(named);
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    const said = error.message.replace(/^.*:\n/, '').replace('\nSee .env.example.', '');
    const isStored = (name: string): boolean => set(env[name]) === undefined;
    const lines = said.split('\n').map((line) => {
      const name = /^(BOOTSTRAP_API_KEY|ADMIN_PASSWORD):/.exec(line.trim())?.[1];
      const where = name !== undefined && isStored(name) ? ' (as kept in .data/dev.json)' : '';
      return line.trim() + where;
    });
    throw new Error(`Not started: ${lines.join('; ')}.`, { cause: error });
  }
}

function variablesOf({ apiKey, adminPassword }: Secrets) {
  return { BOOTSTRAP_API_KEY: apiKey, ADMIN_PASSWORD: adminPassword };
}

export function databaseOf(env: Source): string {
  return set(env['MONGO_DB']) ?? DEFAULT_DB;
}

/** Of an address that was used last time, so that bookmarks and webhooks go on working. */
export function lastPort(url: string | undefined): readonly number[] {
  const port = url !== undefined && URL.canParse(url) ? Number(new URL(url).port) : 0;
  return port > 0 ? [port] : [];
}

/**
 * The port of last time when it is free, else the usual one, else any.
 *
 * @throws Error when a port that was asked for is taken.
 */
export async function apiPortOf(asked: number | undefined, lastUrl?: string): Promise<number> {
  if (asked === undefined) return pickPort([...lastPort(lastUrl), DEFAULT_PORT]);
  if ((await pickPort([asked])) === asked) return asked;
  throw new Error(`Port ${String(asked)} is taken: name another one with --port, or none.`);
}

export function urlOf(port: number): string {
  return `http://${LOCAL_HOST}:${String(port)}`;
}

function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

const OUTSIDE =
  /^(PAYMENT_|SMTP_|MAIL_|SMS_|FCM_|VAPID_|WEBHOOK_|TENANCY$|QUEUE_PREFIX$|SETTLEMENT_LANES$|REDIS_\w+_URL$)/;

/**
 * What the processes of the stack are told of the outside, and those that join them later. Real
 * providers that the environment names come first; production may not send to itself.
 */
export function stackEnvIn(
  env: Source,
  inbox: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const named = Object.entries(env).flatMap(([name, value = '']) =>
    OUTSIDE.test(name) && value !== '' ? [[name, value] as const] : [],
  );
  return { ...(env['NODE_ENV'] === 'production' ? {} : inbox), ...Object.fromEntries(named) };
}
