import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { WORKER_POOLS, envSchema, parseEnv } from '../../../config/env.ts';
import { LIMITS } from '../../../config/limits.ts';
import { NODE_FLAGS } from '../../../config/node-flags.ts';

/** No engine runs here, so what `docker compose up` would find out is checked on the file. */
const ROOT = resolve(import.meta.dirname, '../../..');
const FILE = join(ROOT, 'docker-compose.yml');

const serviceSchema = z.looseObject({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.union([z.string(), z.array(z.string())]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  restart: z.string(),
  stop_grace_period: z.string().optional(),
  container_name: z.string().optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  healthcheck: z
    .object({ test: z.array(z.string()), retries: z.number() })
    .loose()
    .optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  deploy: z.object({
    resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }),
  }),
});
const composeSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.unknown()),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
});

const text = readFileSync(FILE, 'utf8');
const compose = composeSchema.parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);
const {
  api,
  worker,
  outward,
  sandbox,
  redis,
  'redis-cache': cache,
  'mongo-init': init,
} = compose.services;
const wordsOf = (command: string | readonly string[] = []): string =>
  typeof command === 'string' ? command : command.join(' ');
const apps = [api, worker, outward];

/** `${NAME:-default}` and `${NAME:?message}`, as compose reads them from .env. */
const interpolations = [...text.matchAll(/\$\{([A-Z_]+)(:[-?])([^}]*)\}/g)].map(
  ([, name = '', kind = '', value = '']) => ({ name, kind, value }),
);
const interpolate = (value: string): string =>
  value.replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1').replaceAll(/\$\{[A-Z_]+:\?[^}]*\}/g, '');

describe('services', () => {
  it('are MongoDB, Redis, the API and the workers, and for a demo a provider', () => {
    const databases = ['mongo-1', 'mongo-2', 'mongo-3', 'mongo-init', 'redis', 'redis-cache'];
    expect(services.map(([name]) => name).toSorted()).toEqual(
      [...databases, 'api', 'worker', 'outward', 'sandbox'].toSorted(),
    );
  });

  it.each(services)(
    '%s: a pinned image, limits, and a health check or a last word',
    (_, service) => {
      if (service.build === undefined) expect(service.image).toMatch(/:\d+\.\d+\.\d+(-[a-z]+)?$/);
      else expect(existsSync(join(ROOT, service.build.dockerfile))).toBe(true);
      const runsOnce = service.restart.startsWith('on-failure');
      expect(service.healthcheck === undefined).toBe(runsOnce);
    },
  );

  it.each(services)('%s: waits for what exists, and in a way that can end', (_, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on)) {
      const runsOnce = compose.services[name]?.restart.startsWith('on-failure');
      expect([name, condition]).toEqual([
        name,
        runsOnce === true ? 'service_completed_successfully' : 'service_healthy',
      ]);
    }
  });

  it.each(services)('%s: names volumes and networks that are declared', (_, service) => {
    const [sources, networks] = [
      service.volumes.map((one) => one.split(':')[0] ?? ''),
      service.networks,
    ];
    for (const source of sources) {
      if (source.startsWith('./')) expect(existsSync(join(ROOT, source))).toBe(true);
      else expect(compose.volumes).toHaveProperty([source]);
    }
    for (const network of networks) expect(compose.networks).toHaveProperty([network]);
  });

  it('leave no declared volume unused', () => {
    const used = services.flatMap(([, { volumes }]) => volumes.map((one) => one.split(':')[0]));
    expect(used).toEqual(expect.arrayContaining(Object.keys(compose.volumes)));
  });

  it('put nothing on the host but the API, and that on loopback by default', () => {
    const published = services.filter(([, { ports }]) => ports.length > 0).map(([name]) => name);
    expect(published).toEqual(['api']);
    expect(interpolate(api?.ports[0] ?? '')).toBe('127.0.0.1:3000:3000');
  });

  it('keep the databases off every network with a way out', () => {
    expect(compose.networks['data']?.internal).toBe(true);
    const databases = services.filter(([name]) => /^(mongo|redis)/.test(name));
    for (const [, { networks }] of databases) expect(networks).toEqual(['data']);
  });
});

describe('databases', () => {
  it('form the replica set that the applications are told of', () => {
    const url = api?.environment['MONGO_URL'] ?? '';
    const [, hosts = '', set = '?'] = /^mongodb:\/\/([^/]+)\/\?replicaSet=(\w+)$/.exec(url) ?? [];
    const script = readFileSync(join(ROOT, 'deploy/mongo-init.js'), 'utf8');
    const members = [...script.matchAll(/'(mongo-\d:\d+)'/g)].map(([, member]) => member);
    const named = services.filter(([name]) => /^mongo-\d$/.test(name));
    expect(members).toEqual(hosts.split(','));
    expect(named.map(([name]) => `${name}:27017`)).toEqual(hosts.split(','));
    for (const [, { command }] of named) expect(wordsOf(command)).toContain(`--replSet ${set}`);
    expect(script).toContain(`const SET = '${set}'`);
  });

  it('are initialised after all members are up, and before an application starts', () => {
    expect(Object.keys(init?.depends_on ?? {})).toEqual(['mongo-1', 'mongo-2', 'mongo-3']);
    for (const app of apps) {
      expect(Object.keys(app?.depends_on ?? {})).toEqual(['mongo-init', 'redis', 'redis-cache']);
    }
  });

  it('keep queues on disk and never evict them; caches may be evicted', () => {
    expect(wordsOf(redis?.command)).toContain('--maxmemory-policy noeviction');
    expect(wordsOf(redis?.command)).toContain('--appendonly yes');
    expect(redis?.volumes).toEqual(['redis-data:/data']);
    expect(wordsOf(cache?.command)).toMatch(/--maxmemory-policy allkeys-/);
  });
});

describe('applications', () => {
  it.each([
    ['api', api, 'api/main'],
    ['worker', worker, 'workers/main'],
    ['outward', outward, 'workers/main'],
  ])('%s: runs an entry point that exists, unprivileged', (_, service, entry) => {
    expect(service?.command).toEqual(['node', ...NODE_FLAGS, `dist/${entry}.js`]);
    expect(existsSync(join(ROOT, `${entry}.ts`))).toBe(true);
    expect(service).toMatchObject({ init: true, read_only: true, cap_drop: ['ALL'] });
  });

  it('get no provider of play money unless it is asked for', () => {
    expect(sandbox?.['profiles']).toEqual(['demo']);
    expect(sandbox?.ports).toEqual([]);
    for (const app of apps) expect(interpolate(app?.environment['SANDBOX_URL'] ?? '?')).toBe('');
    const [, , entry = ''] = /^(node) dist\/(\S+)\.js 3000 0\.0\.0\.0$/.exec(
      wordsOf(sandbox?.command),
    ) ?? [''];
    expect(existsSync(join(ROOT, `${entry}.ts`))).toBe(true);
  });

  it('are given more time to stop than they take to drain', () => {
    for (const app of apps) {
      const seconds = Number(/^(\d+)s$/.exec(app?.stop_grace_period ?? '')?.[1]);
      expect(seconds * 1_000).toBeGreaterThan(LIMITS.drainDeadlineMs + 5_000);
    }
  });

  it('let workers be scaled', () => {
    for (const service of [worker, outward]) {
      expect(service?.container_name).toBeUndefined();
      expect(service?.ports).toEqual([]);
    }
  });

  it('settle in processes that no mail and no provider can kill, and run every pool', () => {
    const poolsOf = (service: typeof worker): readonly string[] =>
      parseEnv({ WORKER_POOLS: interpolate(service?.environment['WORKER_POOLS'] ?? '') })
        .WORKER_POOLS;
    expect(poolsOf(worker)).toEqual(['settlement', 'recovery']);
    expect([...poolsOf(worker), ...poolsOf(outward)].toSorted()).toEqual(WORKER_POOLS.toSorted());
    for (const service of [worker, outward]) expect(service?.restart).toBe('unless-stopped');
  });

  it('set only names that config/env.ts knows', () => {
    const names = [...apps.flatMap((app) => Object.keys(app?.environment ?? {}))];
    const read = interpolations.map(({ name }) => name);
    const known = Object.keys(envSchema.shape);
    expect([...names, ...read].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('start from defaults that config/env.ts accepts', () => {
    for (const app of apps) {
      const environment = Object.entries(app?.environment ?? {});
      const values = environment.map(([name, value]) => [name, interpolate(value)] as const);
      expect(() => parseEnv(Object.fromEntries(values))).not.toThrow();
    }
  });

  it('refuse to start without their secrets, and say which', () => {
    const required = interpolations.filter(({ kind }) => kind === ':?');
    expect(required.map(({ name }) => name).toSorted()).toEqual([
      'ADMIN_PASSWORD',
      'BOOTSTRAP_API_KEY',
    ]);
    for (const { name, value } of required) expect(value).toContain(`set ${name} in .env`);
  });
});

const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;

describe.skipIf(!hasCompose)('docker compose config', () => {
  it('accepts the file', () => {
    const secrets = {
      ADMIN_PASSWORD: 'x'.repeat(8),
      BOOTSTRAP_API_KEY: `slk_test_${'x'.repeat(16)}`,
    };
    const env = { ...process.env, ...secrets };
    execFileSync('docker', ['compose', '-f', FILE, 'config', '--quiet'], { env });
  });
});
