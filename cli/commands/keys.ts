import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { GRACE_DEFAULT_SECONDS, ACCESS_LIMITS } from '../../config/access-limits.ts';
import { createAuditStore } from '../../core/audit/audit-store.ts';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import { isControlOnly } from '../../core/infra/schema.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { newToken } from '../../core/kernel/ids.ts';
import { type ApiKeyStore, createApiKeyStore } from '../../core/access/api-key-store.ts';
import type { ApiKeyDoc } from '../../core/access/api-key.ts';
import { type KeyAdmin, type KeyKeeper, createKeyAdmin } from '../../core/access/key-admin.ts';
import { type BaseScope, SCOPES, type TypeScope } from '../../core/access/scopes.ts';
import { brandDatabase } from '../../core/tenants/brand-database.ts';
import { createTenantStore } from '../../core/tenants/tenant-store.ts';
import { DEFAULT_TENANT_ID } from '../../core/tenants/tenant.ts';
import { resolveDatabase } from '../connection.ts';
import { CliError, EXIT } from '../exit.ts';
import { formatTable } from '../format.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';
import { type End, endOf, graceSeconds, typeScope } from './key-options.ts';
import { jsonOption, withDatabase } from './options.ts';

interface Options {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly tenant: string;
  readonly json: boolean;
}

interface CreateOptions extends Options {
  readonly scope?: readonly BaseScope[];
  readonly type?: readonly TypeScope[];
  readonly expires?: End;
}

interface RotateOptions extends Options {
  readonly grace: number;
}

/** What the subcommands work with. */
interface Keys {
  readonly store: ApiKeyStore;
  readonly admin: KeyAdmin;
  readonly keeper: KeyKeeper;
  readonly terminal: Terminal;
}

export function keysCommand(io: Io): Command {
  return new Command('keys')
    .description('Creates, lists, rotates and revokes API keys, in the database directly.')
    .addCommand(createCommand(io))
    .addCommand(listCommand(io))
    .addCommand(rotateCommand(io))
    .addCommand(revokeCommand(io));
}

function withCommon(command: Command): Command {
  return withDatabase(command)
    .option('--tenant <id>', 'whose keys', DEFAULT_TENANT_ID)
    .addOption(jsonOption());
}

/** Unless something else is said: all operations, or those of the types that are named. */
function scopesOf({ scope, type = [] }: CreateOptions): KeyKeeper['scopes'] {
  const base: readonly BaseScope[] =
    scope ?? (type.length > 0 ? ['ledger:read'] : ['operations:write', 'ledger:read']);
  return [...new Set([...base, ...type])];
}

function createCommand(io: Io): Command {
  const command = new Command('create')
    .description('Creates a key. Its text is shown once: only a hash of it is stored.')
    .argument('[name]', 'what it is for', 'cli')
    .addOption(
      new Option(
        '--scope <scope...>',
        'what it may do (default: ledger:read, and operations:write unless types are named)',
      ).choices(SCOPES),
    )
    .addOption(
      new Option(
        '--type <type...>',
        'operations that it may ask for, and no others: transfer, hold.*',
      ).argParser(typeScope),
    )
    .addOption(new Option('--expires <time>', 'when it ends: 90d, or a time').argParser(endOf))
    .action((name: string, options: CreateOptions) =>
      withKeys({ ...options, io }, async ({ admin, keeper, terminal }) => {
        const expiresAt = options.expires?.(systemClock.now());
        const wish = {
          name: name.slice(0, ACCESS_LIMITS.keyNameCharsMax),
          scopes: scopesOf(options),
          ...(expiresAt !== undefined && { expiresAt }),
        };
        const { key, text = '' } = await admin.create(keeper, wish, newToken());
        tellText(terminal, options, key, text);
      }),
    );
  return withCommon(command);
}

function listCommand(io: Io): Command {
  const command = new Command('list')
    .description('Lists the keys of a tenant, newest first, without their secrets.')
    .action((options: Options) =>
      withKeys({ ...options, io }, async ({ store, keeper, terminal }) => {
        const page = { limit: ACCESS_LIMITS.keysListed };
        const keys = await store.list(keeper.tenantId, page);
        if (options.json) terminal.out(JSON.stringify({ items: keys.map(viewOf) }));
        else for (const line of listLines(keys)) terminal.out(line);
      }),
    );
  return withCommon(command);
}

function rotateCommand(io: Io): Command {
  const command = new Command('rotate')
    .description('Gives a key another secret, shown once. The old one is good for a while more.')
    .argument('<id>', 'the id in slk_<id>_<secret>, or the whole key')
    .addOption(
      new Option('--grace <time>', 'for how long the old one is good: 24h, 30m, 0')
        .argParser(graceSeconds)
        .default(GRACE_DEFAULT_SECONDS, '24h'),
    )
    .action((text: string, options: RotateOptions) =>
      withKeys({ ...options, io }, async ({ admin, keeper, terminal }) => {
        const { key, text: fresh = '' } = await admin.rotate(keeper, idIn(text), {
          graceSeconds: options.grace,
          idempotencyKey: newToken(),
        });
        tellText(terminal, options, key, fresh);
      }),
    );
  return withCommon(command);
}

function revokeCommand(io: Io): Command {
  const command = new Command('revoke')
    .description('Revokes a key. Every process refuses it within 10 seconds.')
    .argument('<id>', 'the id in slk_<id>_<secret>, or the whole key')
    .action((text: string, options: Options) =>
      withKeys({ ...options, io }, async ({ admin, store, keeper, terminal }) => {
        const id = idIn(text);
        const { tenantId } = keeper;
        const key = await store.find(tenantId, id);
        if (key === undefined || key.revokedAt !== undefined) {
          throw new CliError(`${tenantId} has no open key ${id}.`, EXIT.failed);
        }
        await admin.revoke(keeper, id);
        if (options.json) terminal.out(JSON.stringify({ id, revoked: true }));
        else terminal.out(`${id} is revoked`);
      }),
    );
  return withCommon(command);
}

function idIn(text: string): string {
  return /^slk_([^_]+)_/.exec(text)?.[1] ?? text;
}

function tellText(terminal: Terminal, options: Options, key: ApiKeyDoc, text: string): void {
  terminal.out(options.json ? JSON.stringify({ ...viewOf(key), key: text }) : text);
}

/** Whoever reaches the database may do everything; the audit names the account of this machine. */
function actor(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return 'cli'; // a container may run under a number that has no name
  }
}

async function withKeys(
  { io, ...options }: Options & { readonly io: Io },
  work: (keys: Keys) => Promise<void>,
): Promise<void> {
  const { url, database } = resolveDatabase(options, io);
  const mongo = await openMongo({ url, database, appName: 'sluice-keys' });
  try {
    const tenantId = options.tenant;
    const tenant = await createTenantStore(mongo.db).find(tenantId);
    if (tenant === undefined) {
      throw new CliError(`There is no tenant ${tenantId} in ${database}.`, EXIT.usage);
    }
    const store = createApiKeyStore(mongo.db);
    const admin = createKeyAdmin({
      keys: store,
      audit: createAuditStore(await databaseOf(mongo)),
      databaseTime: () => readDatabaseTime(mongo.db),
      onChange: () => undefined, // processes find out by themselves
    });
    const keeper = { tenantId, actor: actor(), scopes: ['admin'] as const };
    await work({ store, admin, keeper, terminal: createTerminal(io) });
  } finally {
    await mongo.close();
  }
}

/** Where each has a database of its own, what is done about a tenant stands in that. */
async function databaseOf({ client, db }: Mongo): Promise<(tenantId: string) => Mongo['db']> {
  if (!(await isControlOnly(db))) return () => db;
  return (tenantId) => client.db(brandDatabase(db.databaseName, tenantId));
}

function viewOf({ _id, name, scopes, createdAt, ...times }: ApiKeyDoc) {
  const { expiresAt, lastUsedAt, revokedAt } = times;
  return {
    id: _id,
    name,
    scopes,
    createdAt: createdAt.toISOString(),
    ...(expiresAt !== undefined && { expiresAt: expiresAt.toISOString() }),
    ...(lastUsedAt !== undefined && { lastUsedAt: lastUsedAt.toISOString() }),
    ...(revokedAt !== undefined && { revokedAt: revokedAt.toISOString() }),
  };
}

function stateOf({ revokedAt, expiresAt }: ApiKeyDoc): string {
  if (revokedAt !== undefined) return `revoked ${revokedAt.toISOString()}`;
  if (expiresAt === undefined) return 'open';
  const isOver = expiresAt.getTime() <= systemClock.now();
  return `${isOver ? 'expired' : 'open until'} ${expiresAt.toISOString()}`;
}

function listLines(keys: readonly ApiKeyDoc[]): string[] {
  const rows = keys.map((key) => [
    key._id,
    key.name,
    key.scopes.join(','),
    key.createdAt.toISOString(),
    key.lastUsedAt?.toISOString() ?? 'never',
    stateOf(key),
  ]);
  return formatTable([['id', 'name', 'scopes', 'created', 'last used', 'state'], ...rows]);
}
