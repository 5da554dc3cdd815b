import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { workerEnv } from '../../../cli/commands/autoscale.ts';
import { describeServers, joiningEnv, resolveDatabase } from '../../../cli/connection.ts';
import type { DevFile } from '../../../cli/dev-file.ts';
import { LOCAL_HOST, pickPort } from '../../../scripts/dev/servers/ports.ts';
import { startInbox } from '../../../scripts/dev/up/inbox.ts';
import { apiPortOf, refuseUnusable, secretsOf, urlOf } from '../../../scripts/dev/up/settings.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

const DEV: DevFile = {
  url: 'http://127.0.0.1:3000',
  apiKey: 'slk_dev0_aaaaaaaaaaaaaaaa',
  adminPassword: 'password',
  mongoUrl: 'mongodb://127.0.0.1:27117/?replicaSet=rs0',
  mongoDb: 'sluice_dev',
  redisUrl: 'redis://127.0.0.1:6479',
  sandboxUrl: 'http://127.0.0.1:3001',
  stackEnv: { SMTP_URL: 'smtp://127.0.0.1:1025', SMS_ACCOUNT: 'AC1' },
  pids: {},
};

describe('a worker that is added to the stack', () => {
  it('has what the others have: servers, payment provider, mail server', () => {
    expect(workerEnv({ env: { PATH: '/bin', SMTP_URL: '' }, dev: DEV })).toEqual({
      PATH: '/bin',
      MONGO_URL: DEV.mongoUrl,
      MONGO_DB: 'sluice_dev',
      REDIS_URL: DEV.redisUrl,
      SANDBOX_URL: DEV.sandboxUrl,
      SMTP_URL: 'smtp://127.0.0.1:1025',
      SMS_ACCOUNT: 'AC1',
      WORKER_PORT: '0',
    });
  });

  it('takes what the environment names before that', () => {
    const env = { REDIS_URL: 'redis://other', SANDBOX_URL: 'http://other' };
    expect(joiningEnv({ env, dev: DEV })).toMatchObject({ ...env, MONGO_URL: DEV.mongoUrl });
  });

  it('takes nothing of this stack when another database is named', () => {
    const env = { MONGO_URL: 'mongodb://prod/' };
    expect(joiningEnv({ env, dev: DEV })).toEqual(env);
    expect(joiningEnv({ env, dev: undefined })).toEqual(env);
  });

  it('says where it connects, without passwords', () => {
    const env = { MONGO_URL: 'mongodb://me:secret@prod/?x=1', REDIS_URL: 'redis://:secret@r:1' };
    expect(describeServers(env)).toBe(
      'MongoDB mongodb://[redacted]@prod/?x=1 (database sluice), Redis redis://[redacted]@r:1',
    );
    expect(describeServers({})).toContain('mongodb://127.0.0.1:27017/');
  });
});

describe('a database that cannot be one', () => {
  it.each([
    [{ mongoUrl: 'localhost:27017' }, 'is not a mongodb:// address'],
    [{ mongoUrl: 'mongodb://' }, 'is not a mongodb:// address'],
    [{ db: 'no such' }, 'cannot be the name of a database'],
    [{ db: 'a.b' }, 'cannot be the name of a database'],
  ])('is a mistake of use: %j', (options, message) => {
    const resolving = (): unknown => resolveDatabase(options, { env: {}, dev: undefined });
    expect(resolving).toThrow(message);
    expect(resolving).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

describe('the ports of npm start', () => {
  it('are those of last time, although the usual ones are free again', async () => {
    const [api, mail, receiver] = [await pickPort([]), await pickPort([]), await pickPort([])];
    expect(await apiPortOf(undefined, urlOf(api))).toBe(api);
    const inbox = await startInbox(new Set([api]), {
      inboxUrl: urlOf(receiver),
      stackEnv: { SMTP_URL: `smtp://${LOCAL_HOST}:${String(mail)}` },
    });
    await inbox.close();
    expect(inbox.receiver.url).toBe(urlOf(receiver));
    expect(inbox.env['SMTP_URL']).toContain(`:${String(mail)}`);
  });

  it('are others when those of last time are taken', async () => {
    const taken = createServer();
    const port = await pickPort([]);
    await new Promise<void>((done) => taken.listen(port, LOCAL_HOST, done));
    expect(await apiPortOf(undefined, urlOf(port))).not.toBe(port);
    taken.close();
  });

  it('are never written into the lines of the README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    expect(readme).toContain(`URL=$(node -p "require('./.data/dev.json').url")`);
    expect(readme).not.toMatch(/(127\.0\.0\.1|localhost):\d/);
  });
});

describe('a start that the processes would refuse', () => {
  const refusal = (env: Record<string, string>, dev?: DevFile): (() => void) => {
    return () => {
      refuseUnusable(env, secretsOf(env, dev));
    };
  };

  it.each([
    [{ ADMIN_PASSWORD: 'x' }, 'Not started: ADMIN_PASSWORD: must have at least 8 characters.'],
    [{ BOOTSTRAP_API_KEY: 'x' }, /^Not started: BOOTSTRAP_API_KEY: must look like .*\.$/],
    [{ SMS_ACCOUNT: 'AC1' }, 'Not started: SMS_ACCOUNT, SMS_TOKEN, SMS_FROM: either all'],
    [{ MONGO_DB: 'no such' }, 'Not started: MONGO_DB: must be'],
    [{ LOG_LEVEL: 'loud' }, 'Not started: LOG_LEVEL'],
  ])('is refused before anything is written, with the variable: %j', (env, message) => {
    expect(refusal(env)).toThrow(message);
    expect(refusal(env)).toThrow(expect.not.objectContaining({ message: /\n/ }));
  });

  it('names the file when the value is from there', () => {
    expect(refusal({}, { ...DEV, adminPassword: 'x' })).toThrow(
      'ADMIN_PASSWORD: must have at least 8 characters (as kept in .data/dev.json).',
    );
    expect(
      refusal({ ADMIN_PASSWORD: 'long enough' }, { ...DEV, adminPassword: 'x' }),
    ).not.toThrow();
    expect(refusal({}, DEV)).not.toThrow();
    expect(refusal({}, undefined)).not.toThrow();
  });

  it.each(['api/main.ts', 'workers/main.ts'])('ends %s with a sentence and no stack', (script) => {
    const env = { PATH: process.env['PATH'], ADMIN_PASSWORD: 'x' };
    const args = ['--import', import.meta.resolve('tsx'), join(ROOT, script)];
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    expect(stderr).toContain('ADMIN_PASSWORD: must have at least 8 characters');
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(2);
  });
});
