import { Command } from 'commander';
import { changesBetween } from '../../core/service-config/config-document.ts';
import type { ConfigValues } from '../../core/service-config/config-document.ts';
import { readConfig } from '../../core/service-config/read-config.ts';
import { scopeKeyOf, scopeText } from '../../core/service-config/scope.ts';
import { wholeNumber } from '../commands/options.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { type ConfigOptions, type OpenConfig, withConfig, withScope } from './open-config.ts';
import { valueText } from './setting-value.ts';

const VERSION = wholeNumber(0, 999_999_999);

/** What has been changed, and by whom. */
export function historyCommands(io: Io): readonly Command[] {
  return [historyCommand(io), diffCommand(io)];
}

interface HistoryOptions extends ConfigOptions {
  readonly limit: number;
  readonly all: boolean;
}

function historyCommand(io: Io): Command {
  const command = new Command('history')
    .description('Lists the changes of a scope, the latest first.')
    .option('--limit <n>', 'so many', wholeNumber(1, 1_000), 20)
    .option('--all', 'those of every scope', false)
    .action((options: HistoryOptions) =>
      withConfig(options, io, async ({ store, scope, terminal }) => {
        const { limit } = options;
        const filter = options.all ? {} : { scopeKey: scopeKeyOf(scope) };
        const items = await store.history({ ...filter, limit });
        if (options.json) {
          terminal.out(JSON.stringify({ items }));
          return;
        }
        if (items.length === 0) terminal.note(`Nothing has been changed for ${scopeText(scope)}`);
        for (const { scopeKey, version, action, at, author, reason, changes } of items) {
          const when = at.toISOString();
          terminal.out(
            `${scopeKey} ${String(version)}  ${when}  ${action} by ${author}: ${reason}`,
          );
          for (const { name, before, after } of changes) {
            terminal.out(`    ${name}: ${valueText(name, before)} → ${valueText(name, after)}`);
          }
        }
      }),
    );
  return withScope(command);
}

function diffCommand(io: Io): Command {
  const command = new Command('diff')
    .description('Says what differs between two versions of a scope.')
    .argument('[from]', 'a version; by default 0, where nothing was set', VERSION, 0)
    .argument('[to]', 'a version; by default as it is now', VERSION)
    .action((from: number, to: number | undefined, options: ConfigOptions) =>
      withConfig(options, io, async (config) => {
        const { scope, terminal } = config;
        const before = await valuesAt(config, from);
        const after = to === undefined ? await valuesNow(config) : await valuesAt(config, to);
        const changes = changesBetween(before, after);
        if (options.json) {
          terminal.out(JSON.stringify({ scope, from, to: to ?? null, changes }));
          return;
        }
        if (changes.length === 0) terminal.note('They are the same');
        for (const { name, before: old, after: fresh } of changes) {
          terminal.out(`${name}: ${valueText(name, old)} → ${valueText(name, fresh)}`);
        }
      }),
    );
  return withScope(command);
}

async function valuesNow({ store, scope }: OpenConfig): Promise<ConfigValues> {
  return (await readConfig(store)).stored.get(scopeKeyOf(scope)) ?? {};
}

async function valuesAt({ store, scope }: OpenConfig, version: number): Promise<ConfigValues> {
  if (version === 0) return {};
  const found = await store.at(scopeKeyOf(scope), version);
  if (found !== undefined) return found.values;
  const detail = `There is no version ${String(version)} of ${scopeText(scope)}.`;
  throw new CliError(detail, EXIT.usage);
}
