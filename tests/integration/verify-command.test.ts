import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureCollections } from '../../core/infra/schema.ts';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { runSluice } from '../../cli/program.ts';
import { showConservation } from '../../scripts/dev/up/sample.ts';

const URL = process.env['MONGO_URL'] ?? 'mongodb://127.0.0.1:27017/?replicaSet=rs0';
const DATABASE = `sluice_verify_cli_${process.pid}`;

let mongo: Mongo;

beforeAll(async () => {
  mongo = await openMongo({ url: URL, database: DATABASE, appName: 'test-verify-command' });
  await ensureCollections(mongo.db, systemClock);
});

afterAll(async () => {
  await mongo.db.dropDatabase();
  await mongo.close();
});

async function verify(...options: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let code = -1;
  await runSluice(['ledger', 'verify', ...options], {
    stdin: Readable.from([]),
    stdout,
    stderr,
    env: { MONGO_URL: URL, MONGO_DB: DATABASE },
    dev: undefined,
    exit: (given) => {
      code = given;
    },
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('sluice ledger verify', () => {
  it('calls a database without a ledger not sound, by an exit code of its own', async () => {
    for (const options of [[], ['--db', `${DATABASE}_nosuch`]]) {
      const { code, out } = await verify(...options);
      expect(out).toContain('nothing to verify');
      expect(out).not.toContain('sound');
      expect(code).toBe(5);
    }
    expect(JSON.parse((await verify('--json')).out)).toMatchObject({ verdict: 'nothing' });
  });

  it('tells an address that is none, a server that is away and a violation apart', async () => {
    expect((await verify('--mongo-url', 'nowhere')).code).toBe(2);
    expect((await verify('--mongo-url', 'mongodb://a:b:c/?x')).code).toBe(3);
    const away = await verify('--mongo-url', 'mongodb://127.0.0.1:1/');
    expect(away.code).toBe(3);
    expect(away.err.trimEnd().split('\n')).toHaveLength(1);
    const orphan = { _id: 'op_x.0', tenantId: 'default', operationId: 'op_x', leg: 0 };
    await mongo.db.collection<{ _id: string }>('transactions').insertOne(orphan);
    const violated = await verify();
    expect(violated.out).toContain('VIOLATIONS');
    expect(violated.code).toBe(1);
  });

  it('says all of its exit codes in --help', async () => {
    const { out } = await verify('--help');
    expect(out).toMatch(/0 everything agrees, 1 .*, 2 usage, 3 .*\n?.*, 5 there is nothing/);
  });
});

describe('the ledger of npm start', () => {
  it('is left unverified when it is large, and said to be', async () => {
    const said: string[] = [];
    const { signal } = new AbortController();
    const where = { url: URL, database: DATABASE };
    await showConservation(where, { log: (line) => said.push(line), signal }, 0);
    expect(said).toEqual([expect.stringContaining('npx sluice ledger verify')]);
  });
});
