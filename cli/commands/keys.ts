import { Command, Option } from 'commander';
import { openMongo } from '../../core/infra/mongo.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type ApiKeyStore, createApiKeyStore } from '../../core/access/api-key-store.ts';
import { type ApiKeyDoc, SCOPES, type Scope, mintApiKey } from '../../core/access/api-key.ts';
import { createTenantStore } from '../../core/tenants/tenant-store.ts';
import { DEFAULT_TENANT_ID } from '../../core/tenants/tenant.ts';
import { resolveDatabase } from '../connection.ts';
import { CliError, EXIT } from '../exit.ts';
import { formatTable } from '../format.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';
import { jsonOption, withDatabase } from './options.ts';

interface Options {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly tenant: string;
  readonly json: boolean;
}

interface CreateOptions extends Options {
  readonly scope: readonly Scope[];
}

const SCOPES_DEFAULT: readonly Scope[] = ['operations:write', 'ledger:read'];

/** What the subcommands work with. */
interface Keys {
  readonly store: ApiKeyStore;
  readonly tenantId: string;
  readonly terminal: Terminal;
}

export function keysCommand(io: Io): Command {
  return new Command('keys')
    .description('Creates, lists and revokes API keys, in the database directly.')
    .addCommand(createCommand(io))
    .addCommand(listCommand(io))
    .addCommand(revokeCommand(io));
}

function withCommon(command: Command): Command {
  return withDatabase(command)
    .option('--tenant <id>', 'whose keys', DEFAULT_TENANT_ID)
    .addOption(jsonOption());
}

function createCommand(io: Io): Command {
  const command = new Command('create')
    .description('Creates a key. Its text is shown once: only a hash of it is stored.')
    .argument('[name]', 'what it is for', 'cli')
    .addOption(
      new Option('--scope <scope...>', 'what it may do').choices(SCOPES).default(SCOPES_DEFAULT),
    )
    .action((name: string, options: CreateOptions) =>
      withKeys({ ...options, io }, async ({ store, tenantId, terminal }) => {
        const at = new Date(systemClock.now());
        const { doc, text } = mintApiKey({ tenantId, scopes: options.scope, name, at });
        await store.ensure(doc);
        if (options.json) terminal.out(JSON.stringify({ ...viewOf(doc), key: text }));
        else terminal.out(text);
      }),
    );
  return withCommon(command);
}

function listCommand(io: Io): Command {
  const command = new Command('list')
    .description('Lists the keys of a tenant, oldest first, without their secrets.')
    .action((options: Options) =>
      withKeys({ ...options, io }, async ({ store, tenantId, terminal }) => {
        const keys = (await store.list(tenantId)).map(viewOf);
        if (options.json) terminal.out(JSON.stringify({ items: keys }));
        else for (const line of listLines(keys)) terminal.out(line);
      }),
    );
  return withCommon(command);
}

function revokeCommand(io: Io): Command {
  const command = new Command('revoke')
    .description('Revokes a key. Every process refuses it within 10 seconds.')
    .argument('<id>', 'the id in slk_<id>_<secret>, or the whole key')
    .action((text: string, options: Options) =>
      withKeys({ ...options, io }, async ({ store, tenantId, terminal }) => {
        const id = /^slk_([^_]+)_/.exec(text)?.[1] ?? text;
        const isRevoked = await store.revoke(tenantId, id, new Date(systemClock.now()));
        if (!isRevoked) throw new CliError(`${tenantId} has no open key ${id}.`, EXIT.failed);
        if (options.json) terminal.out(JSON.stringify({ id, revoked: true }));
        else terminal.out(`${id} is revoked`);
      }),
    );
  return withCommon(command);
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
    await work({ store: createApiKeyStore(mongo.db), tenantId, terminal: createTerminal(io) });
  } finally {
    await mongo.close();
  }
}

interface KeyView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly revokedAt?: string;
}

function viewOf({ _id, name, scopes, createdAt, revokedAt }: ApiKeyDoc): KeyView {
  return {
    id: _id,
    name,
    scopes,
    createdAt: createdAt.toISOString(),
    ...(revokedAt !== undefined && { revokedAt: revokedAt.toISOString() }),
  };
}

function listLines(keys: readonly KeyView[]): string[] {
  const rows = keys.map(({ id, name, scopes, createdAt, revokedAt }) => [
    id,
    name,
    scopes.join(','),
    createdAt,
    revokedAt === undefined ? 'open' : `revoked ${revokedAt}`,
  ]);
  return formatTable([['id', 'name', 'scopes', 'created', 'state'], ...rows]);
}
