import type { CommandStartedEvent, Document } from 'mongodb';
import type { Instance } from './platform.ts';

/** What the server says of one query that the code has sent. */
export interface Explained {
  /** `operations.find` */
  readonly what: string;
  readonly command: Document;
  /** `primary`, or what else the command says of where it may be read. */
  readonly readFrom: string;
  readonly stages: readonly string[];
  readonly keysExamined: number;
  readonly docsExamined: number;
  readonly returned: number;
}

const QUERIES = ['find', 'aggregate', 'count', 'distinct', 'update', 'delete', 'findAndModify'];
/** What a session or a driver adds, none of which a plan depends on. */
const ENVELOPE = /^(\$|lsid$|txnNumber$|autocommit$|startTransaction$|readConcern$|writeConcern$)/;

/** Runs `work` in a world that is monitored and explains every query that it sent. */
export async function explained(
  { platform }: Pick<Instance, 'platform'>,
  work: () => Promise<unknown>,
): Promise<readonly Explained[]> {
  const { client, db } = platform.mongo;
  const sent: { readonly command: Document; readonly readFrom: string }[] = [];
  const note = ({ commandName, command, databaseName }: CommandStartedEvent): void => {
    const isOurs = databaseName === db.databaseName && typeof command[commandName] === 'string';
    if (!isOurs || !QUERIES.includes(commandName)) return;
    const readFrom = modeOf(command);
    sent.push(...singles(commandName, command).map((one) => ({ command: one, readFrom })));
  };
  client.on('commandStarted', note);
  try {
    await work();
  } finally {
    client.off('commandStarted', note);
  }
  const found: Explained[] = [];
  for (const { command, readFrom } of sent) {
    const plan = await db.command({ explain: command, verbosity: 'executionStats' });
    const [name = ''] = Object.keys(command);
    found.push({
      what: `${String(command[name])}.${name}`,
      command,
      readFrom,
      stages: [...new Set(valuesOf(plan, 'stage').map(String))],
      keysExamined: largest(plan, 'totalKeysExamined'),
      docsExamined: largest(plan, 'totalDocsExamined'),
      returned: Math.max(0, ...valuesOf(plan, 'executionStats').map(returnedBy)),
    });
  }
  return found;
}

function modeOf({ $readPreference }: Document): string {
  const { mode = 'primary' }: { readonly mode?: string } = $readPreference ?? {};
  return mode;
}

/** A command with many statements is explained one by one. */
function singles(name: string, command: Document): readonly Document[] {
  const bare = Object.fromEntries(Object.entries(command).filter(([key]) => !ENVELOPE.test(key)));
  const list = name === 'update' ? 'updates' : name === 'delete' ? 'deletes' : undefined;
  if (list === undefined) return [bare];
  const statements: unknown = bare[list];
  if (!Array.isArray(statements)) throw new Error(`a ${name} without its statements`);
  const { comment } = bare;
  return statements.map((one: unknown) => ({ [name]: bare[name], [list]: [one], comment }));
}

function largest(plan: unknown, key: string): number {
  return Math.max(0, ...valuesOf(plan, key).map(Number));
}

/** By the plan as a whole: its stages have such numbers, too. */
function returnedBy(stats: unknown): number {
  return typeof stats === 'object' && stats !== null && 'nReturned' in stats
    ? Number(stats.nReturned)
    : 0;
}

/** Every value of a key, however deep: plans of stages hold plans. */
function valuesOf(value: unknown, key: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    name === key ? [inner] : name === 'rejectedPlans' ? [] : valuesOf(inner, key),
  );
}
