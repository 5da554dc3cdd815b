import { Command } from 'commander';
import type { Changed } from '../../core/service-config/config-store.ts';
import { readConfig } from '../../core/service-config/read-config.ts';
import { scopeKeyOf, scopeText } from '../../core/service-config/scope.ts';
import { settingView, settingsFor } from '../../core/service-config/setting-view.ts';
import { historyCommands } from '../config/history.ts';
import {
  type ChangeOptions,
  type ConfigOptions,
  type OpenConfig,
  authorOf,
  reasonOf,
  withChange,
  withConfig,
  withScope,
} from '../config/open-config.ts';
import { known, parseAssignments, valueText } from '../config/setting-value.ts';
import { formatTable } from '../format.ts';
import type { Io } from '../io.ts';
import { wholeNumber } from './options.ts';

const HELP = `
A setting is looked up from the narrowest scope to the widest: what is set for a tenant counts before
what is set for a provider, that before a channel, that before the installation; then the environment
(SAGA_CONCURRENCY, DELIVERY_POLICIES), then what is built in. docs/settings.md has all of them.

  sluice config set payment.timeoutMs 5s --provider http --reason "they are slow today"
  sluice config set payment.retryBaseMs=1s payment.retryCapMs=5m --reason "be patient"
  sluice config rollback 3 --reason "it was better before"

Exit code: 0 done, 1 somebody has changed it meanwhile, 2 it makes no sense, 3 no database.`;

export function configCommand(io: Io): Command {
  const command = new Command('config')
    .description('Settings that change while the platform runs, with their history.')
    .addHelpText('after', HELP)
    .addCommand(listCommand(io))
    .addCommand(getCommand(io))
    .addCommand(setCommand(io))
    .addCommand(unsetCommand(io))
    .addCommand(rollbackCommand(io));
  for (const one of historyCommands(io)) command.addCommand(one);
  return command;
}

interface ListOptions extends ConfigOptions {
  readonly changed: boolean;
}

function listCommand(io: Io): Command {
  const command = new Command('list')
    .description('Lists settings: what is in force for a scope, and whose word it is.')
    .argument('[part]', 'only those whose names have this in them', '')
    .option('--changed', 'only those that are not as built in', false)
    .action((part: string, options: ListOptions) =>
      withConfig(options, io, async (config) => {
        const { scope, terminal } = config;
        const { settings, versions, invalid } = await readConfig(config.store);
        const items = settingsFor(settings, scope)
          .filter(({ name }) => name.includes(part))
          .filter(({ source }) => !options.changed || source !== 'default');
        const version = versions.get(scopeKeyOf(scope)) ?? 0;
        if (options.json) terminal.out(JSON.stringify({ scope, version, invalid, items }));
        else {
          for (const { scopeKey, problems } of invalid) {
            terminal.note(`${scopeKey} is stored as it cannot be used: ${problems.join('; ')}`);
          }
          const rows = items.map(({ name, value, source, allowed }) => [
            name,
            valueText(name, value),
            source,
            allowed,
          ]);
          const table = formatTable([['setting', 'value', 'by', 'allowed'], ...rows]);
          for (const line of table) terminal.out(line);
        }
      }),
    );
  return withScope(command);
}

function getCommand(io: Io): Command {
  const command = new Command('get')
    .description('Shows one setting: its value for a scope, and what it may be.')
    .argument('<name>', 'as in docs/settings.md')
    .action((name: string, options: ConfigOptions) =>
      withConfig(options, io, async ({ store, scope, terminal }) => {
        const { settings, versions } = await readConfig(store);
        const view = settingView(settings, known(name), scope);
        const version = versions.get(scopeKeyOf(scope)) ?? 0;
        if (options.json) terminal.out(JSON.stringify({ ...view, scope, version }));
        else {
          terminal.out(valueText(name, view.value));
          terminal.note(
            `${view.summary}. By ${view.source}; built in ${valueText(name, view.default)}`,
          );
          terminal.note(`${view.allowed}; may be set for: ${view.scopes.join(', ')}`);
        }
      }),
    );
  return withScope(command);
}

function setCommand(io: Io): Command {
  const command = new Command('set')
    .description('Sets one or several, all of them or none; in force everywhere within 5 seconds.')
    .argument('<assignments...>', '<name> <value>, or <name>=<value> several times')
    .action((args: readonly string[], options: ChangeOptions) =>
      change(options, io, { set: parseAssignments(args), unset: [] }),
    );
  return withChange(command);
}

function unsetCommand(io: Io): Command {
  const command = new Command('unset')
    .description('Takes back what is set for a scope, so that the next wider one counts again.')
    .argument('<names...>', 'as in docs/settings.md')
    .action((names: readonly string[], options: ChangeOptions) =>
      change(options, io, { set: {}, unset: names.map(known) }),
    );
  return withChange(command);
}

function rollbackCommand(io: Io): Command {
  const command = new Command('rollback')
    .description('Makes a scope what it was at an earlier version, as a change of its own.')
    .argument(
      '<version>',
      'as in `sluice config history`; 0: nothing set',
      wholeNumber(0, 999_999_999),
    )
    .action((toVersion: number, options: ChangeOptions) =>
      change(options, io, { set: {}, unset: [], toVersion }),
    );
  return withChange(command);
}

type What = Pick<Parameters<OpenConfig['store']['change']>[0], 'set' | 'unset' | 'toVersion'>;

async function change(options: ChangeOptions, io: Io, what: What): Promise<void> {
  const reason = reasonOf(options);
  const { version: expectedVersion, dryRun: isDryRun } = options;
  await withConfig(options, io, async ({ store, scope, terminal }) => {
    const changed = await store.change({
      ...{ ...what, scope, author: authorOf(options), reason, isDryRun },
      ...(expectedVersion !== undefined && { expectedVersion }),
    });
    if (options.json) terminal.out(JSON.stringify({ ...changed, dryRun: isDryRun }));
    else for (const line of changeLines(changed, isDryRun)) terminal.out(line);
  });
}

function changeLines({ scope, version, changes, isStored }: Changed, isDryRun: boolean): string[] {
  const lines = changes.map(
    ({ name, before, after }) => `${name}: ${valueText(name, before)} → ${valueText(name, after)}`,
  );
  if (isDryRun) return [...lines, `Nothing was changed (--dry-run); ${scopeText(scope)}`];
  if (!isStored) return [`Nothing to change: that is so already (version ${String(version)})`];
  return [...lines, `Version ${String(version)} of ${scopeText(scope)}; in force within 5 s`];
}
