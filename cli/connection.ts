import { type DevFile, stackEnvOf } from './dev-file.ts';
import { CliError, EXIT } from './exit.ts';

const DEFAULT_URL = 'http://127.0.0.1:3000';
const DEFAULT_MONGO_URL = 'mongodb://127.0.0.1:27017/?replicaSet=rs0';
const DEFAULT_MONGO_DB = 'sluice';
const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';

/** Where to look when the command line says nothing. */
interface Given {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `npm start` left. */
  readonly dev: DevFile | undefined;
}

export interface Connection {
  readonly url: string;
  readonly key: string;
  /** Said when nothing answers there. */
  readonly hint: string;
}

/** The first that is set; an empty value counts as unset. */
function firstSet(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== '');
}

/**
 * Where the API is and with which key: what the command line says, else the environment, else what
 * `npm start` left in `.data/dev.json`. The key in that file is only sent to the address in it.
 *
 * @throws CliError when the address is not one, or no key is known for it.
 */
export function resolveConnection(
  options: { readonly url?: string; readonly key?: string },
  { env, dev }: Given,
): Connection {
  const { url, hint } = resolveAddress(options, { env, dev });
  const isDev = dev !== undefined && normalizeUrl(dev.url) === url;
  const key = firstSet(options.key, env['SLUICE_API_KEY'], isDev ? dev.apiKey : undefined);
  if (key === undefined) {
    const start = dev === undefined ? ', or start a local platform with `npm start`' : '';
    const how = `give one with --key or SLUICE_API_KEY${start}`;
    throw new CliError(`There is no API key for ${url}: ${how}.`, EXIT.usage);
  }
  return { url, key, hint };
}

/** As above, for what needs no key. */
export function resolveAddress(
  options: { readonly url?: string },
  { env, dev }: Given,
): Omit<Connection, 'key'> {
  const named = firstSet(options.url, env['SLUICE_URL']);
  const hint =
    named === undefined
      ? 'Start it with `npm start`, or say where it is with --url or SLUICE_URL.'
      : 'Is it running, and is the address right?';
  return { url: normalizeUrl(named ?? dev?.url ?? DEFAULT_URL), hint };
}

function normalizeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new CliError(`"${text}" is not an http:// or https:// address.`, EXIT.usage);
  }
  return url.href.replace(/\/+$/, '');
}

const MONGO_URL = /^mongodb(\+srv)?:\/\/[^/\s]+/;
/** What MongoDB takes. */
const DATABASE = /^[^/\\. "$*<>:|?]{1,63}$/;

/** An address as it may be shown. */
function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//[redacted]@');
}

/** The database, for the commands that look into it themselves; same order as above. */
export function resolveDatabase(
  options: { readonly mongoUrl?: string; readonly db?: string },
  { env, dev }: Given,
): { readonly url: string; readonly database: string } {
  const named = firstSet(options.mongoUrl, env['MONGO_URL']);
  const url = named ?? dev?.mongoUrl ?? DEFAULT_MONGO_URL;
  // The development database belongs to the development server only.
  const local = dev?.mongoUrl === url ? dev.mongoDb : undefined;
  const database = firstSet(options.db, env['MONGO_DB'], local) ?? DEFAULT_MONGO_DB;
  if (!MONGO_URL.test(url)) {
    throw new CliError(`"${withoutPassword(url)}" is not a mongodb:// address.`, EXIT.usage);
  }
  if (!DATABASE.test(database)) {
    throw new CliError(`"${database}" cannot be the name of a database.`, EXIT.usage);
  }
  return { url, database };
}

/** The Redis of the queues, for the commands that enqueue themselves; same order as above. */
export function resolveRedis(options: { readonly redisUrl?: string }, { env, dev }: Given): string {
  const named = firstSet(options.redisUrl, env['REDIS_QUEUE_URL'], env['REDIS_URL']);
  return named ?? dev?.redisUrl ?? DEFAULT_REDIS_URL;
}

/**
 * The environment of a process that joins the stack: what is set comes first (an empty value counts as
 * unset), the rest is what `npm start` left. Whoever names another database means another
 * installation, which has providers of its own: nothing is mixed into that.
 */
export function joiningEnv({ env, dev }: Given): Readonly<Record<string, string>> {
  const set: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value !== '') set[name] = value;
  }
  const named = set['MONGO_URL'];
  const isTheirs = dev !== undefined && (named === undefined || named === dev.mongoUrl);
  return { ...(isTheirs ? stackEnvOf(dev) : {}), ...set };
}

/** Where a process with that environment will find its servers, in a line for a person. */
export function describeServers(env: Readonly<Record<string, string | undefined>>): string {
  const mongo = withoutPassword(firstSet(env['MONGO_URL']) ?? DEFAULT_MONGO_URL);
  const database = firstSet(env['MONGO_DB']) ?? DEFAULT_MONGO_DB;
  const redis = firstSet(env['REDIS_QUEUE_URL'], env['REDIS_URL']) ?? DEFAULT_REDIS_URL;
  return `MongoDB ${mongo} (database ${database}), Redis ${withoutPassword(redis)}`;
}
