import { newSecret, newToken } from '../../core/kernel/ids.ts';
import type { DevFile } from '../cli/dev-file.ts';
import { LOCAL_HOST, pickPort } from '../local/ports.ts';

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

export function databaseOf(env: Source): string {
  return set(env['MONGO_DB']) ?? DEFAULT_DB;
}

/** @throws Error when a port that was asked for is taken. */
export async function apiPortOf(asked: number | undefined): Promise<number> {
  if (asked === undefined) return pickPort([DEFAULT_PORT]);
  if ((await pickPort([asked])) === asked) return asked;
  throw new Error(`Port ${String(asked)} is taken: name another one with --port, or none.`);
}

export function urlOf(port: number): string {
  return `http://${LOCAL_HOST}:${String(port)}`;
}

function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

const OUTSIDE = /^(PAYMENT_|SMTP_|MAIL_|SMS_|FCM_|VAPID_|WEBHOOK_|QUEUE_PREFIX$|REDIS_\w+_URL$)/;

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
