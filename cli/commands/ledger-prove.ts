import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { openMongo } from '../../core/infra/mongo.ts';
import { type LogAudit, auditLog } from '../../core/ledger/proof/audit-store.ts';
import { leafHash, rootByInclusion } from '../../core/ledger/proof/merkle.ts';
import { openNote, readCheckpoint } from '../../core/ledger/proof/note.ts';
import { resolveDatabase } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { formatBar, formatCount } from '../format.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { createTerminal } from '../terminal.ts';
import { jsonOption, withDatabase } from './options.ts';

interface Options {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly publicKey: string;
  readonly tenant: string;
  readonly checkpoint?: string;
  readonly proof?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

const HELP = `
With --proof FILE (what GET /v1/transactions/{id}/proof has answered) it checks that file
and nothing else, without any server. Otherwise it reads all entries of a tenant up to a
signed checkpoint (--checkpoint FILE, by default the latest that is stored) and names what
was altered, removed or put in since. Believe a checkpoint that you have kept yourself:
whoever can write the database can replace those in it, but cannot sign them.

The public key stands in every proof and under GET /v1/ledger/checkpoint; note it once.

Exit code: 0 proved, 1 not what was signed, 2 usage, 3 the database does not answer,
5 nothing of that tenant is sealed, 130 interrupted.`;

export function proveCommand(io: Io): Command {
  const command = new Command('prove')
    .summary('hold the log against its signed checkpoint')
    .description('Checks a proof, or all entries of a tenant, against a signed checkpoint.')
    .requiredOption('--public-key <key>', 'the key that has to have signed, <name>+<id>+<key>')
    .option('--tenant <id>', 'whose log', 'default')
    .option('--checkpoint <file>', 'a checkpoint that was kept')
    .option('--proof <file>', 'only this proof of one entry, offline')
    .option('--quiet', 'no progress', false)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      io.exit(await interruptible((signal) => prove(options, io, signal)));
    });
  return withDatabase(command);
}

async function prove(options: Options, io: Io, signal: AbortSignal): Promise<ExitCode> {
  const terminal = createTerminal({ ...io, isQuiet: options.quiet });
  if (options.proof !== undefined) {
    const problem = proofProblem(read(options.proof), options.publicKey);
    const verdict = problem === undefined ? 'proved' : 'not proved';
    const text = problem === undefined ? verdict : `${verdict}: ${problem}`;
    terminal.out(options.json ? JSON.stringify({ verdict, problem }) : text);
    return problem === undefined ? EXIT.ok : EXIT.failed;
  }
  const { url, database } = resolveDatabase(options, io);
  const note = options.checkpoint === undefined ? undefined : read(options.checkpoint);
  const mongo = await openMongo({ url, database, appName: 'sluice-ledger-prove' });
  try {
    const audit = await auditLog({
      ...{ db: mongo.db, tenantId: options.tenant, publicKey: options.publicKey, signal },
      ...(note !== undefined && { note }),
      onProgress: (done, size) => {
        terminal.live(
          () => `${formatBar(size === 0 ? 1 : done / size)} ${formatCount(done)} entries`,
        );
      },
    });
    terminal.clear();
    if (options.json) terminal.out(JSON.stringify({ database, ...audit }));
    else for (const line of auditLines(audit)) terminal.out(line);
    if (audit.verdict === 'no-checkpoint') return EXIT.nothing;
    return audit.verdict === 'proved' ? EXIT.ok : EXIT.failed;
  } finally {
    await mongo.close();
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CliError(`${file} cannot be read.`, EXIT.usage, cause);
  }
}

const SAID = {
  proved: 'entries are those that were signed',
  faulty: 'entries are not those that were signed',
  'other-root': 'entries do not lead to the root that was signed',
  'not-signed': 'the checkpoint is not signed by that key for that tenant',
  'no-checkpoint': 'nothing of that tenant is sealed',
} as const satisfies Record<LogAudit['verdict'], string>;

function auditLines({ tenantId, size, verdict, faults, faultCount }: LogAudit): readonly string[] {
  const hasEntries = verdict !== 'not-signed' && verdict !== 'no-checkpoint';
  const said = hasEntries ? `${formatCount(size)} ${SAID[verdict]}` : SAID[verdict];
  const more = faultCount - faults.length;
  return [
    `${tenantId}: ${said}`,
    ...faults.map(({ kind, id, index }) => `  ${kind} ${id} at ${String(index)}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}

const proofFile = z.object({
  leaf: z.string(),
  index: z.int().min(0),
  path: z.array(z.base64().length(44)).max(64),
  checkpoint: z.string(),
});

/** What is wrong with a proof; undefined: the entry stands in the log that the key has signed. */
export function proofProblem(text: string, publicKey: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  const parsed = proofFile.safeParse(json);
  if (!parsed.success) return 'it is no proof of an entry';
  const { leaf, index, path, checkpoint } = parsed.data;
  const note = openNote(checkpoint, publicKey);
  const signed = note === undefined ? undefined : readCheckpoint(note);
  if (signed === undefined) return 'its checkpoint is not signed by that key';
  const root = rootByInclusion({
    ...{ leaf: leafHash(Buffer.from(leaf)), index, size: signed.size },
    path: path.map((hash) => Buffer.from(hash, 'base64')),
  });
  return root?.equals(signed.root) === true
    ? undefined
    : 'the entry does not lead to what was signed';
}
