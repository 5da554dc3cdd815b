import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

/**
 * A boundary check that nobody has seen fail is not yet a check. This builds a small tree with one
 * violation of each rule of .dependency-cruiser.cjs, among imports that are allowed, and expects
 * exactly those violations.
 */
const ROOT = resolve(import.meta.dirname, '../../..');
const CONFIG = join(ROOT, '.dependency-cruiser.cjs');

const rulesSchema = z.object({ forbidden: z.array(z.object({ name: z.string() })) });
const reportSchema = z.object({
  summary: z.object({
    violations: z.array(
      z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) }),
    ),
  }),
});

/** Files that break nothing; the violating ones point at them. */
const LEGAL: Record<string, readonly string[]> = {
  'config/env.ts': ['zod'],
  'config/limits.ts': [],
  'core/kernel/ids.ts': ['uuid', '../../config/limits.ts', 'node:crypto'],
  'core/telemetry/logger.ts': ['pino', 'prom-client', '../kernel/ids.ts'],
  'core/telemetry/otel-tracer.ts': ['./logger.ts'],
  'core/infra/mongo.ts': ['mongodb', 'ioredis', 'type ../../config/env.ts'],
  'core/service-config/reader.ts': ['../infra/mongo.ts'],
  'core/users/users.ts': ['../service-config/reader.ts', './user-store.ts'],
  'core/users/user-store.ts': ['mongodb', '../infra/mongo.ts'],
  'core/wallets/wallet-cache.ts': ['ioredis', '../users/users.ts'],
  'core/saga/engine.ts': ['../users/users.ts', '../wallets/wallet-cache.ts'],
  'core/operation-types/deposit.ts': ['../saga/engine.ts'],
  'core/operations/operation.ts': ['../users/users.ts'],
  'core/notifications/delivery.ts': ['../operations/operation.ts'],
  'core/recovery/sweep.ts': ['../saga/engine.ts', '../notifications/delivery.ts'],
  'runtime/platform.ts': [
    '../core/recovery/sweep.ts',
    '../core/operation-types/deposit.ts',
    '../config/env.ts',
  ],
  'queues/producer.ts': ['bullmq', 'ioredis', '../core/saga/engine.ts'],
  'queues/board.ts': ['@bull-board/api', './producer.ts'],
  'api/main.ts': ['./server.ts', '../config/env.ts', '../runtime/platform.ts'],
  'api/server.ts': ['express', '@bull-board/express', '../queues/board.ts'],
  'workers/main.ts': ['bullmq', '../config/env.ts', '../queues/producer.ts'],
  'tests/support/tree.ts': ['../../api/server.ts', 'vitest'],
  'cli/main.ts': ['commander', '../runtime/platform.ts'],
  'client/src/index.ts': ['./clock.ts'],
  'client/src/clock.ts': [],
  'scripts/dev/up.ts': ['../../cli/main.ts', 'vitest'],
};

interface Violation {
  readonly file: string;
  /** What it imports; the last one is the violation. Empty: the file itself is. */
  readonly imports: readonly string[];
  /** Where the violating import leads, when that is not a package of the same name. */
  readonly to?: string;
}

const upwards = (file: string): Violation => ({
  file,
  imports: ['../recovery/sweep.ts'],
  to: 'core/recovery/sweep.ts',
});
const homeless = (name: string, file = 'core/saga'): Violation => ({
  file: `${file}/${name.replaceAll(/\W/g, '-')}-user.ts`,
  imports: [name],
});

const VIOLATIONS: Record<string, Violation> = {
  'config-imports-nothing': {
    file: 'config/up.ts',
    imports: ['../core/kernel/ids.ts'],
    to: 'core/kernel/ids.ts',
  },
  'core-is-below-the-edges': {
    file: 'core/saga/publishes.ts',
    imports: ['../../queues/producer.ts'],
    to: 'queues/producer.ts',
  },
  'queues-below-runtime': {
    file: 'queues/up.ts',
    imports: ['../runtime/platform.ts'],
    to: 'runtime/platform.ts',
  },
  'runtime-below-the-edges': {
    file: 'runtime/up.ts',
    imports: ['../api/server.ts'],
    to: 'api/server.ts',
  },
  'api-not-workers': {
    file: 'api/runs-workers.ts',
    imports: ['../workers/main.ts'],
    to: 'workers/main.ts',
  },
  'workers-not-api': {
    file: 'workers/serves.ts',
    imports: ['../api/server.ts'],
    to: 'api/server.ts',
  },
  'env-is-passed-in': {
    file: 'core/infra/reads-env.ts',
    imports: ['../../config/limits.ts', '../../config/env.ts'],
    to: 'config/env.ts',
  },
  'core-tier-kernel': upwards('core/kernel/up.ts'),
  'core-tier-outbound': upwards('core/outbound/up.ts'),
  'core-tier-telemetry': upwards('core/telemetry/up.ts'),
  'core-tier-infra': upwards('core/infra/up.ts'),
  'core-tier-service-config': upwards('core/service-config/up.ts'),
  'core-tier-ledger': upwards('core/ledger/up.ts'),
  'core-tier-events': upwards('core/events/up.ts'),
  'core-tier-operations': upwards('core/operations/up.ts'),
  'core-tier-notifications': upwards('core/notifications/up.ts'),
  'core-tier-ingest': upwards('core/ingest/up.ts'),
  'core-tier-unknown': {
    file: 'tests/unit/misc.ts',
    imports: ['../../core/misc/thing.ts'],
    to: 'core/misc/thing.ts',
  },
  'sibling-stores-are-private': {
    file: 'core/wallets/wallets.ts',
    imports: ['../users/users.ts', './wallet-cache.ts', '../users/user-store.ts'],
    to: 'core/users/user-store.ts',
  },
  'engines-stand-apart': {
    file: 'core/settlement/steps.ts',
    imports: ['../saga/engine.ts'],
    to: 'core/saga/engine.ts',
  },
  'types-are-handed-in': {
    file: 'core/ingest/knows.ts',
    imports: ['../operation-types/deposit.ts'],
    to: 'core/operation-types/deposit.ts',
  },
  'operations-not-notifications': {
    file: 'core/saga/notifies.ts',
    imports: ['../notifications/delivery.ts'],
    to: 'core/notifications/delivery.ts',
  },
  'tracing-on-demand': {
    file: 'runtime/always-traces.ts',
    imports: ['../core/telemetry/otel-tracer.ts'],
    to: 'core/telemetry/otel-tracer.ts',
  },
  'kernel-does-no-io': {
    file: 'core/kernel/reads.ts',
    imports: ['node:crypto', 'node:fs/promises'],
    to: 'fs/promises',
  },
  'home-of-uuid': homeless('uuid'),
  'home-of-mongodb': homeless('mongodb'),
  'home-of-ioredis': homeless('ioredis'),
  'home-of-lru-cache': homeless('lru-cache'),
  'home-of-marked': homeless('marked'),
  'home-of-bullmq': homeless('bullmq', 'api'),
  'home-of-bullmq-otel': homeless('bullmq-otel', 'api'),
  'home-of-pino': homeless('pino', 'queues'),
  'home-of-bull-board-api': homeless('@bull-board/api', 'workers'),
  'home-of-bull-board-express': homeless('@bull-board/express', 'queues'),
  'home-of-express': homeless('express'),
  'home-of-socket-io': homeless('socket.io'),
  'home-of-graphql': homeless('graphql'),
  'home-of-csv-parse': homeless('csv-parse'),
  'home-of-undici': homeless('undici', 'api'),
  'no-circular': { file: 'api/cycle-a.ts', imports: ['type ./cycle-b.ts'], to: 'api/cycle-b.ts' },
  'no-orphans': { file: 'core/ledger/lonely.ts', imports: [], to: 'core/ledger/lonely.ts' },
  'sources-stand-alone': {
    file: 'workers/tested.ts',
    imports: ['../tests/support/tree.ts'],
    to: 'tests/support/tree.ts',
  },
  'cli-stands-alone': {
    file: 'cli/tested.ts',
    imports: ['../tests/support/tree.ts'],
    to: 'tests/support/tree.ts',
  },
  'client-stands-alone': {
    file: 'client/src/reads.ts',
    imports: ['./clock.ts', 'node:buffer'],
    to: 'buffer',
  },
  'no-dev-dependency-in-source': { file: 'cli/dev.ts', imports: ['type vitest', 'vitest'] },
  'package-without-a-home': homeless('left-pad'),
  'package-not-listed': { file: 'tests/unit/lucky.ts', imports: ['unlisted'] },
  resolvable: { file: 'tests/unit/lost.ts', imports: ['./nowhere.ts'], to: './nowhere.ts' },
};

/** Parts of a violation that are not violations themselves. */
const REST: Record<string, readonly string[]> = {
  'api/cycle-b.ts': ['./cycle-a.ts'],
  'core/misc/thing.ts': ['../../config/limits.ts'],
};

/** As most packages do; what is left out of the check must be our own `dist`, not theirs. */
const SHIPS_FROM_ROOT: ReadonlySet<string> = new Set(['ioredis', 'express', 'vitest']);
const entryOf = (name: string): string =>
  SHIPS_FROM_ROOT.has(name) ? 'index.js' : 'dist/index.js';

const isPackage = (specifier: string): boolean => !/^(\.|node:)/.test(specifier);

function source(imports: readonly string[]): string {
  const lines = imports.map((specifier, index) => {
    const typeOnly = specifier.startsWith('type ');
    const name = typeOnly ? specifier.slice('type '.length) : specifier;
    return typeOnly
      ? `import type { T as T${String(index)} } from '${name}';`
      : `import * as m${String(index)} from '${name}';`;
  });
  return [...lines, 'export type T = string;', ''].join('\n');
}

async function put(tree: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text);
}

/** Empty packages in the tree itself: the real ones would be slow to resolve and might be absent. */
async function putPackages(tree: string, names: ReadonlySet<string>): Promise<void> {
  const listed = [...names].filter((name) => name !== 'unlisted' && name !== 'vitest');
  const dependencies = Object.fromEntries(listed.map((name) => [name, '1.0.0']));
  const manifest = { name: 'tree', type: 'module', dependencies };
  const development = { ...manifest, devDependencies: { vitest: '1.0.0' } };
  await put(tree, 'package.json', JSON.stringify(development));
  for (const name of names) {
    const folder = `node_modules/${name}`;
    await put(tree, `${folder}/package.json`, JSON.stringify({ name, main: entryOf(name) }));
    await put(tree, `${folder}/${entryOf(name)}`, 'export default 1;\n');
  }
}

async function putTree(tree: string): Promise<void> {
  const violating = Object.values(VIOLATIONS).map((one) => [one.file, one.imports] as const);
  const files = new Map([...Object.entries(LEGAL), ...Object.entries(REST), ...violating]);
  const specifiers = [...files.values()].flat().map((one) => one.replace(/^type /, ''));
  await putPackages(tree, new Set(specifiers.filter(isPackage)));
  for (const [path, imports] of files) await put(tree, path, source(imports));
}

const line = (rule: string, from: string, to: string): string => `${rule}: ${from} -> ${to}`;

function expectedLines(): string[] {
  return Object.entries(VIOLATIONS).map(([rule, { file, imports, to }]) => {
    const name = imports.at(-1) ?? '';
    return line(rule, file, to ?? `node_modules/${name}/${entryOf(name)}`);
  });
}

async function reportedLines(tree: string): Promise<string[]> {
  const bin = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const folders = [
    'config',
    'core',
    'queues',
    'runtime',
    'api',
    'workers',
    'cli',
    'client/src',
    'scripts',
    'tests',
  ];
  const args = [bin, '--config', CONFIG, '--output-type', 'json', ...folders];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tree });
  const { violations } = reportSchema.parse(JSON.parse(stdout)).summary;
  return violations.map(({ rule, from, to }) => line(rule.name, from, to));
}

describe('import boundaries', () => {
  let tree = '';

  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'boundaries-'));
    await putTree(tree);
  });
  afterAll(async () => {
    await rm(tree, { recursive: true });
  });

  it('reports each planted violation and nothing else', async () => {
    const reported = await reportedLines(tree);
    expect(reported.toSorted()).toEqual(expectedLines().toSorted());
  }, 20_000);

  it('has a planted violation for every rule', () => {
    const rules = rulesSchema.parse(createRequire(import.meta.url)(CONFIG)).forbidden;
    expect(Object.keys(VIOLATIONS).toSorted()).toEqual(rules.map(({ name }) => name).toSorted());
  });
});
