import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import { openMongo } from '../../core/infra/mongo.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { type ConfigStore, createConfigStore } from '../../core/service-config/config-store.ts';
import { type ConfigScope, scopeSchema } from '../../core/service-config/scope.ts';
import { createTenantStore } from '../../core/tenants/tenant-store.ts';
import { jsonOption, withDatabase } from '../commands/options.ts';
import { resolveDatabase } from '../connection.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';

export interface ConfigOptions {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly tenant?: string;
  readonly provider?: string;
  readonly channel?: string;
  readonly json: boolean;
}

export interface ChangeOptions extends ConfigOptions {
  readonly reason?: string;
  readonly author?: string;
  readonly version?: number;
  readonly dryRun: boolean;
}

/** What the subcommands work with. */
export interface OpenConfig {
  readonly store: ConfigStore;
  readonly scope: ConfigScope;
  readonly terminal: Terminal;
}

export function withScope(command: Command): Command {
  return withDatabase(command)
    .option('--tenant <id>', 'for one tenant')
    .option('--provider <name>', 'for one provider')
    .option('--channel <name>', 'for one channel: email, sms, push, webhook or realtime')
    .addOption(jsonOption());
}

export function withChange(command: Command): Command {
  return withScope(command)
    .option('--reason <text>', 'why; required, and kept in the history')
    .option('--author <name>', 'who, in the history; by default your user name and host')
    .option('--version <n>', 'refuse unless the scope stands at that version', versionNumber)
    .option('--dry-run', 'say what would change, and change nothing', false);
}

function versionNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CliError(`"${text}" is not the number of a version.`, EXIT.usage);
}

/** @throws CliError when there is none. */
export function reasonOf({ reason }: Pick<ChangeOptions, 'reason'>): string {
  const text = reason?.trim() ?? '';
  if (text !== '') return text.slice(0, 500);
  throw new CliError('say why: --reason "…".', EXIT.usage);
}

export function authorOf({ author }: { readonly author?: string }): string {
  const named = author?.trim() ?? '';
  return (named === '' ? `cli:${userInfo().username}@${hostname()}` : named).slice(0, 200);
}

/** Opens the database for one command; what makes no sense ends it with a sentence. */
export async function withConfig(
  options: ConfigOptions,
  io: Io,
  work: (config: OpenConfig) => Promise<void>,
): Promise<void> {
  const scope = scopeOf(options);
  const { url, database } = resolveDatabase(options, io);
  const mongo = await openMongo({ url, database, appName: 'sluice-config' });
  try {
    const { tenant } = scope;
    if (tenant !== undefined && (await createTenantStore(mongo.db).find(tenant)) === undefined) {
      throw new CliError(`There is no tenant ${tenant} in ${database}.`, EXIT.usage);
    }
    await work({ store: createConfigStore(mongo.db), scope, terminal: createTerminal(io) });
  } catch (error) {
    throw spoken(error);
  } finally {
    await mongo.close();
  }
}

function scopeOf({ tenant, provider, channel }: ConfigOptions): ConfigScope {
  const parsed = scopeSchema.safeParse({
    ...(tenant !== undefined && { tenant }),
    ...(provider !== undefined && { provider }),
    ...(channel !== undefined && { channel }),
  });
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(
    ({ path, message }) => `--${path.map(String).join('.')}: ${message}`,
  );
  throw new CliError(`${said.join('; ')}.`, EXIT.usage);
}

const REFUSALS: ReadonlySet<string> = new Set(['validation', 'not-found']);

/** A change that makes no sense is the command's fault; one that came too late is not. */
export function spoken(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  if (REFUSALS.has(error.kind)) return new CliError(error.detail, EXIT.usage, error);
  return error.kind === 'conflict' ? new CliError(error.detail, EXIT.failed, error) : error;
}
