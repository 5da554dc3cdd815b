import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runSluice } from '../../../cli/program.ts';
import { TEST_KEY } from './bulk-server.ts';
import { fileOf, here, lineOf, linesOf, serve } from './import-setup.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const LAUNCHER = join(ROOT, 'scripts/sluice.mjs');

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Setting {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** The command inside this process, with a world of its own around it. */
async function sluice(
  args: readonly string[],
  { env = {}, stdin = '' }: Setting = {},
): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let code = 0;
  await runSluice(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout,
    stderr,
    env,
    dev: undefined,
    exit: (given) => {
      code = given;
    },
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

interface Process {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** The command as whoever calls it gets it. */
function launch(args: readonly string[], launcher = LAUNCHER): Process {
  const env = { PATH: process.env['PATH'] };
  const child = spawn(process.execPath, [launcher, ...args], { cwd: here(), env, stdio: 'pipe' });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text.out += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text.err += part));
  child.stdin.end();
  const ended = new Promise<Ended>((settle, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      settle({ code: code ?? -1, ...text });
    });
  });
  return { ended, kill: (signal) => void child.kill(signal) };
}

const to = (server: { readonly url: string }): string[] => ['--url', server.url, '--key', TEST_KEY];

describe('the launcher', () => {
  const copyLauncher = (): string => {
    mkdirSync(join(here(), 'scripts'));
    const launcher = join(here(), 'scripts/sluice.mjs');
    cpSync(LAUNCHER, launcher);
    return launcher;
  };

  it('runs the sources of a checkout', async () => {
    const { code, out } = await launch(['--help']).ended;
    expect(out).toContain('Usage: sluice');
    expect(code).toBe(0);
  });

  it('gives the options of `up` on', async () => {
    const { code, out } = await launch(['up', '--help']).ended;
    expect(out).toContain('Usage: npm start --');
    expect(code).toBe(0);
  });

  it('says what to do when nothing is installed', async () => {
    const { code, err } = await launch(['import', 'x'], copyLauncher()).ended;
    expect(err).toBe(
      `sluice: the dependencies are not installed; run \`npm install\` in ${here()}/ first.\n`,
    );
    expect(code).toBe(2);
  });

  it('runs what is built where there are no sources', async () => {
    const launcher = copyLauncher();
    mkdirSync(join(here(), 'node_modules/commander'), { recursive: true });
    writeFileSync(join(here(), 'node_modules/commander/index.js'), '');
    mkdirSync(join(here(), 'dist/cli'), { recursive: true });
    writeFileSync(join(here(), 'dist/cli/main.js'), 'console.log("built")');
    expect((await launch([], launcher).ended).out).toBe('built\n');
  });
});

describe('sluice', () => {
  it.each([
    [['--help'], 'Usage: sluice'],
    [['import', '--help'], 'Usage: sluice import'],
    [['ledger', 'verify', '--help'], 'Usage: sluice ledger verify'],
    [['redispatch', '--help'], 'Usage: sluice redispatch'],
    [['keys', 'create', '--help'], 'Usage: sluice keys create'],
    [['api', '--help'], 'Usage: sluice api'],
    [['worker', '--help'], 'Usage: sluice worker'],
  ])('%j helps', async (args, text) => {
    const { code, out } = await sluice(args);
    expect(out).toContain(text);
    expect(code).toBe(0);
  });

  it.each([
    [['nonsense'], 'unknown command'],
    [['import'], "missing required argument 'file'"],
    [['import', 'x.ndjson', '--chunk', '0'], 'It must be a whole number from 1 to 1000'],
    [['import', 'x.ndjson', '--chunk', '1001'], 'It must be a whole number from 1 to 1000'],
    [['import', 'x.ndjson', '--retry-for', 'soon'], 'It must be a number of seconds'],
    [['import', 'nobody.ndjson'], 'There is no file nobody.ndjson'],
    [['import', 'noextension'], '--format ndjson or csv'],
    [['import', '.'], 'is a folder'],
    [['import', 'ops.ndjson', '--url', 'ftp://x'], 'not an http:// or https:// address'],
    [['import', 'ops.ndjson', '--url', 'http://127.0.0.1:1'], 'There is no API key'],
    [['keys', 'create', '--scope', 'everything'], 'Allowed choices are'],
  ])('%j is a mistake of use', async (args, message) => {
    const files = ['ops.ndjson', 'noextension'].map((name) => [name, fileOf(linesOf(1), name)]);
    const paths = new Map(files as [string, string][]);
    const { code, err } = await sluice(args.map((argument) => paths.get(argument) ?? argument));
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('sluice import', () => {
  it('prints a summary and ends with 0', async () => {
    const server = await serve();
    const { code, out, err } = await sluice(['import', fileOf(linesOf(1_500)), ...to(server)]);
    expect(out).toMatch(/ops\.ndjson: 1,500 lines in \d+\.\d s \([\d,]+\/s\)\n {2}new {12}1,500/);
    expect(err).toBe('');
    expect(code).toBe(0);
  });

  it('prints one JSON document when asked to', async () => {
    const server = await serve();
    const { out } = await sluice(['import', fileOf(linesOf(3)), '--json', ...to(server)]);
    expect(JSON.parse(out)).toMatchObject({ lines: 3, new: 3, succeeded: 3, refused: {} });
  });

  it('takes address and key from the environment', async () => {
    const server = await serve();
    const env = { SLUICE_URL: `${server.url}/`, SLUICE_API_KEY: TEST_KEY };
    const { code } = await sluice(['import', fileOf(linesOf(3))], { env });
    expect(code).toBe(0);
    expect(server.accepted).toHaveLength(3);
  });

  it('reads standard input', async () => {
    const server = await serve();
    const stdin = `${lineOf(1)}\n${lineOf(2)}`;
    const { code, out } = await sluice(['import', '-', ...to(server)], { stdin });
    expect(out).toContain('-: 2 lines');
    expect(code).toBe(0);
  });

  it('reads CSV on standard input, too', async () => {
    const server = await serve();
    const stdin = 'type,idempotencyKey,userId\nwallet.credit,a,ann\n';
    const { code } = await sluice(['import', '-', ...to(server)], { stdin });
    expect(server.accepted[0]?.item).toMatchObject({ idempotencyKey: 'a' });
    expect(code).toBe(0);
  });

  it.each([
    ['an empty file', 'x.ndjson', ''],
    ['an empty CSV', 'x.csv', '\n\n'],
    ['a header alone', 'x.csv', 'type,userId\n'],
  ])('says that there is nothing in %s', async (_, name, text) => {
    const server = await serve();
    const file = join(here(), name);
    writeFileSync(file, text);
    const { out, code } = await sluice(['import', file, ...to(server)]);
    expect(out).toContain(`${name}: 0 lines`);
    expect(out).toContain('nothing was imported');
    expect(code).toBe(0);
  });

  const utf16 = (text: string, mark: string): Buffer => Buffer.from(mark + text, 'utf16le');
  const csv = 'type,userId\nwallet.credit,ann\nwallet.credit,bob\n';
  it.each([
    [
      'a column that nobody knows',
      'x.csv',
      'type,userID,ammount,x y\n',
      [
        '"userID", which no operation has (did you mean "userId"?)',
        'and a column "ammount", which no operation has (did you mean "amount"?)',
        'and a column "x y", which no operation has.',
      ].join(', '),
    ],
    [
      'a type under another name',
      'x.csv',
      'Type,userId\n',
      'has no column "type": did you mean "Type"?',
    ],
    ['UTF-16', 'x.csv', utf16(csv, '\uFEFF'), 'is UTF-16, not UTF-8'],
    ['UTF-16 without a mark', 'x.ndjson', utf16('{"type":"x"}', ''), 'is UTF-16, not UTF-8'],
    ['big-endian UTF-16', 'x.csv', utf16(csv, '\uFEFF').swap16(), 'is UTF-16, not UTF-8'],
    [
      'another code page',
      'x.csv',
      Buffer.from('type,betr\u00e4g\nx,1\n', 'latin1'),
      'not valid UTF-8',
    ],
    ['CSV named NDJSON', 'x.ndjson', csv, '--format csv'],
    ['NDJSON named CSV', 'x.csv', '{"type":"x"}\n', '--format ndjson'],
    ['a JSON array', 'x.ndjson', '[\n{"type":"x"},\n', 'a JSON array'],
    ['line ends of old', 'x.csv', 'type,userId\rx,ann\r', 'CR alone'],
  ])('ends at once, with one error and a summary, at %s', async (_, name, text, message) => {
    const server = await serve();
    const file = join(here(), name);
    writeFileSync(file, text);
    const { out, err, code } = await sluice(['import', file, ...to(server)]);
    expect(err).toContain(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(out).toContain(`${name}: 0 lines`);
    expect(server.requests).toHaveLength(0);
    expect(code).toBe(2);
  });

  it('ends with 1 and names the file of refused lines', async () => {
    const server = await serve();
    const file = fileOf([...linesOf(2), 'broken']);
    const { code, out } = await sluice(['import', file, ...to(server)]);
    expect(out).toContain('refused: invalid_json');
    expect(out).toContain(`the lines that did not succeed are in ${file}.refused.ndjson`);
    expect(code).toBe(1);
  });

  it('ends with 3 when it gives up, and says how to go on', async () => {
    const server = await serve({ instead: (request) => (request > 1 ? 'drop' : undefined) });
    const args = ['import', fileOf(linesOf(1_500)), '--retry-for', '0.3', ...to(server)];
    const { code, err, out } = await sluice(args);
    expect(out).toMatch(/new +1,000/);
    expect(err).toContain('sluice: gave up after');
    expect(err).toContain('run the same command again to continue');
    expect(code).toBe(3);
  });

  it('ends with 3 when nothing answers', async () => {
    const gone = await serve();
    await gone.close();
    const args = ['import', fileOf(linesOf(1)), '--retry-for', '0.2', ...to(gone)];
    const { code, err } = await sluice(args);
    expect(err).toContain(
      `Nothing answers at ${gone.url}. Is it running, and is the address right?`,
    );
    expect(code).toBe(3);
  });

  it('ends with 130 at Ctrl-C, and says how to go on', async () => {
    let interrupt: () => void = () => undefined;
    const server = await serve({
      looksBeforeSettled: Infinity,
      instead: (request) => {
        if (request === 3) interrupt();
        return undefined;
      },
    });
    const file = fileOf(linesOf(4_000));
    const run = launch(['import', file, '--chunk', '100', ...to(server)]);
    interrupt = () => {
      run.kill('SIGINT');
    };
    const { code, err } = await run.ended;
    expect(err).toContain('What was accepted stays accepted; run the same command again');
    expect(code).toBe(130);
    expect(server.accepted.length).toBeLessThan(4_000);
  });
});
