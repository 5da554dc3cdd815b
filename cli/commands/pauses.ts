import { Command, Option } from 'commander';
import { CHANNEL_NAMES } from '../../config/channel-defaults.ts';
import { LIMITS } from '../../config/limits.ts';
import { SERVICE_CONFIG_LIMITS } from '../../config/service-config-limits.ts';
import { openMongo } from '../../core/infra/mongo.ts';
import { createHeldDeliveriesStore } from '../../core/notifications/delivery/held-deliveries-store.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { createHeldStore } from '../../core/operations/held-store.ts';
import {
  type Pause,
  type PauseSubject,
  checkSubject,
  pauseKeyOf,
  pauseSubjectSchema,
} from '../../core/service-config/pause.ts';
import { type PauseStore, createPauseStore } from '../../core/service-config/pause-store.ts';
import { authorOf, reasonOf, spoken } from '../config/open-config.ts';
import { resolveDatabase } from '../connection.ts';
import { CliError, EXIT } from '../exit.ts';
import { formatTable } from '../format.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';
import { jsonOption, wholeNumber, withDatabase } from './options.ts';

interface Options {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly json: boolean;
}

interface SubjectOptions extends Options {
  readonly type?: string;
  readonly tenant?: string;
  readonly provider?: string;
  readonly channel?: string;
  readonly endpoint?: string;
  readonly lane?: number;
  readonly reason?: string;
  readonly author?: string;
}

interface Open {
  readonly store: PauseStore;
  readonly heldBy: (pause: Pause) => Promise<{ operations: number; deliveries: number }>;
  readonly terminal: Terminal;
}

const HELP = `
What is accepted waits, nothing is lost and no attempt is used up; what has begun is finished. One
pause is of everything to which all of it applies: --tenant acme --channel webhook is that tenant's
webhooks. In force in every process within 5 seconds. docs/steering.md says what becomes of what.

Exit code: 0 done, 2 it makes no sense, 3 no database.`;

export function pauseCommand(io: Io): Command {
  const command = withSubject(new Command('pause'))
    .description('Keeps work of a type, tenant, provider, channel, endpoint or lane waiting.')
    .addHelpText('after', HELP)
    .action(async (options: SubjectOptions) => {
      const reason = reasonOf(options);
      const subject = subjectOf(options);
      await withPauses(options, io, async ({ store, terminal }) => {
        checkSubject(subject);
        const { pause, isNew } = await store.pause({ subject, reason, author: authorOf(options) });
        if (options.json) terminal.out(JSON.stringify({ ...viewOf(pause), isNew }));
        else if (isNew) terminal.out(`${pause._id}: ${pause.key} is paused, within 5 s everywhere`);
        else terminal.out(`${pause._id}: ${pause.key} is paused already, by ${pause.author}`);
      });
    });
  return command;
}

interface ResumeOptions extends SubjectOptions {
  readonly rate?: number;
}

export function resumeCommand(io: Io): Command {
  return withSubject(new Command('resume'))
    .description('Ends a pause; what it has held back goes on in the order of its acceptance.')
    .argument('[id]', 'as in `sluice pauses`; or say what it is of')
    .option(
      '--rate <n>',
      'let in so many a second of what was held back; by default all at once',
      wholeNumber(1, SERVICE_CONFIG_LIMITS.perSecondMax),
    )
    .action(async (id: string | undefined, options: ResumeOptions) => {
      const reason = reasonOf(options);
      const subject = subjectOf(options);
      const { rate: perSecond } = options;
      await withPauses(options, io, async ({ store, terminal }) => {
        const resumed = await store.resume({
          ...{ id: id ?? (await idOf(store, subject)), reason, author: authorOf(options) },
          ...(perSecond !== undefined && { perSecond }),
        });
        if (options.json) terminal.out(JSON.stringify(viewOf(resumed)));
        else terminal.out(`${resumed._id}: ${resumed.key} goes on`);
      });
    });
}

export function pausesCommand(io: Io): Command {
  const command = new Command('pauses')
    .description('Lists what is paused, since when, by whom and why, and what it holds back.')
    .option('--all', 'also those that are over, the latest first', false)
    .addOption(jsonOption())
    .action((options: Options & { readonly all: boolean }) =>
      withPauses(options, io, async ({ store, heldBy, terminal }) => {
        const pauses = options.all ? await store.list({ limit: 200 }) : await store.active();
        const items = await Promise.all(
          pauses.map(async (pause) => ({ ...viewOf(pause), held: await heldBy(pause) })),
        );
        if (options.json) terminal.out(JSON.stringify({ items }));
        else if (items.length === 0) terminal.note('Nothing is paused');
        else for (const line of tableOf(items)) terminal.out(line);
      }),
    );
  return withDatabase(command);
}

function withSubject(command: Command): Command {
  return withDatabase(command)
    .option('--type <type>', 'operations of a type')
    .option('--tenant <id>', 'all of a tenant')
    .option('--provider <name>', 'calls to a provider')
    .addOption(new Option('--channel <name>', 'what goes by a channel').choices(CHANNEL_NAMES))
    .option('--endpoint <id>', 'what goes to a webhook endpoint')
    .option('--lane <n>', 'operations of a lane', wholeNumber(0, LIMITS.lanesEver - 1))
    .option('--reason <text>', 'why; required, and kept')
    .option('--author <name>', 'who; by default your user name and host')
    .addOption(jsonOption());
}

function subjectOf(options: SubjectOptions): PauseSubject {
  const { type, tenant, provider, channel, endpoint, lane } = options;
  if (type !== undefined && !Object.hasOwn(OPERATIONS, type)) {
    const known = Object.keys(OPERATIONS).join(', ');
    throw new CliError(`There is no operation type ${type}: there are ${known}.`, EXIT.usage);
  }
  const given = Object.entries({ type, tenant, provider, channel, endpoint, lane });
  const parsed = pauseSubjectSchema.safeParse(
    Object.fromEntries(given.filter(([, value]) => value !== undefined)),
  );
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(
    ({ path, message }) => `--${path.map(String).join('.')}: ${message}`,
  );
  throw new CliError(`${said.join('; ')}.`, EXIT.usage);
}

async function idOf(store: PauseStore, subject: PauseSubject): Promise<string> {
  checkSubject(subject);
  const key = pauseKeyOf(subject);
  const found = (await store.active()).find((pause) => pause.key === key);
  if (found !== undefined) return found._id;
  throw new CliError(`${key} is not paused.`, EXIT.usage);
}

async function withPauses(
  options: Options,
  io: Io,
  work: (open: Open) => Promise<void>,
): Promise<void> {
  const { url, database } = resolveDatabase(options, io);
  const mongo = await openMongo({ url, database, appName: 'sluice-pauses' });
  const operations = createHeldStore(mongo.db);
  const deliveries = createHeldDeliveriesStore(mongo.db);
  const max = SERVICE_CONFIG_LIMITS.heldCountMax;
  try {
    await work({
      store: createPauseStore(mongo.db),
      terminal: createTerminal(io),
      heldBy: async ({ _id }) => ({
        operations: await operations.count(_id, max),
        deliveries: await deliveries.count(_id, max),
      }),
    });
  } catch (error) {
    throw spoken(error);
  } finally {
    await mongo.close();
  }
}

function viewOf({ _id, since, isActive, resumedAt, ...pause }: Pause) {
  return {
    id: _id,
    isActive: isActive === true,
    since: since.toISOString(),
    ...(resumedAt !== undefined && { resumedAt: resumedAt.toISOString() }),
    ...pause,
  };
}

type Shown = ReturnType<typeof viewOf> & { held: { operations: number; deliveries: number } };

function tableOf(items: readonly Shown[]): string[] {
  const rows = items.map(({ id, key, isActive, resuming, since, author, reason, held }) => [
    id,
    key,
    isActive ? (resuming === undefined ? 'paused' : `${String(resuming.perSecond)}/s`) : 'over',
    since,
    author,
    `${String(held.operations)}/${String(held.deliveries)}`,
    reason,
  ]);
  const head = ['id', 'what', 'state', 'since', 'by', 'operations/deliveries', 'why'];
  return formatTable([head, ...rows]);
}
