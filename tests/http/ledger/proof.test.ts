import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proofProblem } from '../../../cli/commands/ledger-prove.ts';
import { readDatabaseTime } from '../../../core/infra/database-clock.ts';
import { auditLog } from '../../../core/ledger/proof/audit-store.ts';
import { isConsistent } from '../../../core/ledger/proof/merkle.ts';
import { openNote, readCheckpoint } from '../../../core/ledger/proof/note.ts';
import { sealTenant } from '../../../core/ledger/proof/seal-store.ts';
import { present } from '../../../core/kernel/assert.ts';
import { createLedgerSigner } from '../../../runtime/ledger-signer.ts';
import { useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';

const api = useApi({ worker: true });
const ENV = { NODE_ENV: 'test', LEDGER_LOG_NAME: 'sluice', LEDGER_LOG_KEY: undefined } as const;
const folder = mkdtempSync(join(tmpdir(), 'sluice-proof-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function seal(): Promise<number> {
  const signer = present(await createLedgerSigner(api.db, ENV)(), 'a signer');
  const databaseTime = () => readDatabaseTime(api.db);
  return sealTenant({ db: api.db, signer, databaseTime, settledWithinMs: 0 }, 'default');
}

/** Everything that is there by now, whose time of the log may be a moment behind. */
async function sealAll(): Promise<void> {
  const there = await entries().countDocuments();
  for (let tries = 0; tries < 200; tries += 1) {
    await seal();
    const tree = await api.db.collection<Doc>('ledger_trees').findOne({});
    if (Number(tree?.['size']) === there) return;
    // A write moves the time of what a majority has seen.
    await api.db
      .collection<{ _id: string }>('ledger_marks')
      .updateOne({ _id: 'tick' }, { $inc: { n: 1 } }, { upsert: true });
  }
  throw new Error('not all is sealed');
}

interface Doc {
  readonly _id: string;
  readonly [field: string]: unknown;
}

const entries = () => api.db.collection<Doc>('transactions');
const wallet = { currency: 'EUR' };
let ids: readonly string[] = [];

beforeAll(async () => {
  await succeed(api, '/v1/users', { userId: 'ann', wallets: [wallet] });
  const operations = Array.from({ length: 300 }, (_, index) => ({
    type: 'wallet.credit',
    input: { userId: 'ann', ...wallet, amount: String(index + 1), description: `ä ${index} "q"` },
  }));
  await succeed(api, '/v1/operations', { type: 'batch', input: { operations } });
  ids = (await entries().find().sort({ createdAt: 1, _id: 1 }).toArray()).map(({ _id }) => _id);
}, 60_000);

const proofOf = (id: string) => api.ask(`/v1/transactions/${encodeURIComponent(id)}/proof`);

describe('the proof of an entry', () => {
  it('is not there before it is sealed, and says when to ask again', async () => {
    const answer = await proofOf(ids[0] ?? '');
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'proof_not_ready' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await proofOf('op_nobody.1')).status).toBe(404);
    expect((await api.ask('/v1/ledger/checkpoint')).status).toBe(409);
  });

  it('leads to the signed checkpoint, also for a stranger in Python, and no changed byte does', async () => {
    await sealAll();
    const publicKey = (await api.ask('/v1/ledger/checkpoint')).body.publicKey as string;
    for (const [index, id] of ids.entries()) {
      if (index % 37 !== 0 && index !== ids.length - 1) continue;
      const { status, body } = await proofOf(id);
      expect(status).toBe(200);
      expect(body).toMatchObject({ id, index, publicKey });
      expect(proofProblem(JSON.stringify(body), publicKey)).toBeUndefined();
      const bent = { ...body, leaf: String(body.leaf).replace('EUR', 'EUS') };
      expect(proofProblem(JSON.stringify(bent), publicKey)).toBe(
        'the entry does not lead to what was signed',
      );
    }
    const file = join(folder, 'proof.json');
    const { body } = await proofOf(ids[123] ?? '');
    writeFileSync(file, JSON.stringify(body));
    const doc = readFileSync('docs/ledger-proofs.md', 'utf8');
    const script = /```python\n(.*?)```/s.exec(doc)?.[1] ?? '';
    const hasPython = spawnSync('python3', ['-c', 'import cryptography']).status === 0;
    if (hasPython) {
      const said = execFileSync('python3', ['-c', script, file, publicKey], { encoding: 'utf8' });
      expect(said).toBe(`proved: sluice/default ${ids[123] ?? ''}\n`);
      writeFileSync(file, JSON.stringify({ ...body, index: 124 }));
      expect(spawnSync('python3', ['-c', script, file, publicKey]).status).not.toBe(0);
    }
  });

  it('stays with its index while the log goes on, which begins with what it was', async () => {
    const before = (await api.ask('/v1/ledger/checkpoint')).body;
    await succeed(api, '/v1/credits', { userId: 'ann', ...wallet, amount: '5' });
    await sealAll();
    const after = (await api.ask('/v1/ledger/checkpoint')).body;
    expect(after.size).toBe((before.size as number) + 2);
    expect((await proofOf(ids[7] ?? '')).body).toMatchObject({ index: 7 });
    const query = `first=${String(before.size)}&second=${String(after.size)}`;
    const { body } = await api.ask(`/v1/ledger/consistency?${query}`);
    const read = ({ checkpoint, publicKey }: typeof before) =>
      present(
        readCheckpoint(openNote(checkpoint as string, publicKey as string) ?? ''),
        'a checkpoint',
      );
    const [one, two] = [read(before), read(after)];
    const proof = {
      ...{ first: one.size, second: two.size, firstRoot: one.root, secondRoot: two.root },
      path: (body.path as string[]).map((hash) => Buffer.from(hash, 'base64')),
    };
    expect(isConsistent(proof)).toBe(true);
    expect(isConsistent({ ...proof, firstRoot: Buffer.alloc(32) })).toBe(false);
    expect((await api.ask('/v1/ledger/consistency?first=9&second=3')).status).toBe(400);
    expect((await api.ask('/v1/ledger/consistency?first=9&second=99999')).status).toBe(404);
    expect(await seal()).toBe(0);
  });

  it('of all of the log names what was altered, removed or put in', async () => {
    await sealAll();
    const { publicKey, checkpoint, size } = (await api.ask('/v1/ledger/checkpoint')).body;
    const key = publicKey as string;
    const audit = (more: object = {}) =>
      auditLog({
        db: api.db,
        tenantId: 'default',
        publicKey: key,
        note: checkpoint as string,
        ...more,
      });
    expect(await audit()).toMatchObject({ verdict: 'proved', size });
    const id = ids[40] ?? '';
    const kept = present(await entries().findOne({ _id: id }, { useBigInt64: true }), 'an entry');
    await entries().updateOne({ _id: id }, { $set: { description: 'ä 20 "p"' } });
    expect(await audit()).toMatchObject({
      verdict: 'faulty',
      faults: [{ kind: 'altered', id, index: 40 }],
    });
    await entries().deleteOne({ _id: id });
    expect(await audit()).toMatchObject({
      faultCount: 1,
      faults: [{ kind: 'removed', id, index: 40 }],
    });
    await entries().insertMany([kept, { ...kept, _id: `${id}9`, seq: 9_999 }]);
    expect((await audit()).faults).toMatchObject([{ kind: 'inserted', id: `${id}9` }]);
    await entries().deleteOne({ _id: `${id}9` });
    expect(await audit()).toMatchObject({ verdict: 'proved', faultCount: 0 });
    const other = key.replace(/.{6}$/, 'AAAAA=');
    expect(await audit({ publicKey: other })).toMatchObject({ verdict: 'not-signed' });
    expect(await audit({ tenantId: 'nobody' })).toMatchObject({ verdict: 'not-signed' });
  });
});
