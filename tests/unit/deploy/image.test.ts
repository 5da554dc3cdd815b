import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NODE_FLAGS } from '../../../config/node-flags.ts';
import { envSchema } from '../../../config/env.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const dockerfile = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8');
const dockerignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8');

const letThrough = dockerignore
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1));

describe('Dockerfile', () => {
  it('is built on one pinned Node that the project supports', () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+:\S+)/gm)].map(([, image]) => image);
    expect(images).toEqual([expect.stringMatching(/^node:24\.\d+\.\d+-bookworm-slim$/)]);
  });

  it('installs from the lock file, and into the image without development packages', () => {
    const installs = [...dockerfile.matchAll(/npm (?:ci|i|install)\b[^\n&]*/g)].map(([line]) =>
      line.trim(),
    );
    expect(installs).toEqual(['npm ci', 'npm ci --omit=dev']);
  });

  it('runs as a user without rights, in exec form, with a health check', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
    expect(last).toMatch(/^USER node$/m);
    const command = ['node', ...NODE_FLAGS, 'dist/api/main.js'];
    const stated = /^CMD (\[(?:.*\\\n)*.*\])$/m.exec(last)?.[1]?.replaceAll('\\\n', '');
    expect(JSON.parse(stated ?? '')).toEqual(command);
    expect(last).toMatch(/^HEALTHCHECK /m);
    expect(last.indexOf('USER node')).toBeGreaterThan(last.lastIndexOf('COPY'));
  });

  it('sets only names that config/env.ts knows', () => {
    const names = [...dockerfile.matchAll(/^(?:ENV| {4})\s*([A-Z_]+)=/gm)].map(([, name]) => name);
    const known = [...Object.keys(envSchema.shape), 'NODE_OPTIONS'];
    expect(names).toContain('HOST');
    expect(names.filter((name) => !known.includes(name ?? ''))).toEqual([]);
  });

  it('names entry points whose sources exist', () => {
    const entries = [...dockerfile.matchAll(/dist\/([\w/]+)\.js/g)].map(([, entry]) => entry ?? '');
    expect(new Set(entries)).toEqual(new Set(['api/main', 'workers/main']));
    for (const entry of entries) expect(existsSync(join(ROOT, `${entry}.ts`))).toBe(true);
  });
});

describe('build context', () => {
  it('lets nothing through that is not named', () => {
    expect(dockerignore.split('\n').find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
  });

  it('holds all that the build needs, and only what exists', () => {
    const build = JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8')) as {
      include: string[];
    };
    const copied = [...dockerfile.matchAll(/^COPY (?!--from|\. )(.+) \S+$/gm)];
    const files = copied.flatMap(([, list = '']) => list.split(' '));
    const settings = ['tsconfig.json', 'tsconfig.build.json'];
    expect(letThrough).toEqual(expect.arrayContaining([...build.include, ...files, ...settings]));
    expect(letThrough.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe('deploy/healthcheck.mjs', () => {
  async function exitCode(env: Record<string, string>): Promise<number> {
    const script = join(ROOT, 'deploy/healthcheck.mjs');
    const child = spawn(process.execPath, [script, '/readyz'], { env, stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number];
    return code;
  }
  async function listen(status: number): Promise<{ server: Server; port: string }> {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/readyz' ? status : 404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { server, port: String(address.port) };
  }

  it('takes the one port of the two that answers', async () => {
    const { server, port } = await listen(200);
    expect(await exitCode({ PORT: '1', WORKER_PORT: port })).toBe(0);
    expect(await exitCode({ PORT: port, WORKER_PORT: '1' })).toBe(0);
    server.close();
  });

  it('fails when the answer is not 200, and when nobody answers', async () => {
    const { server, port } = await listen(503);
    expect(await exitCode({ PORT: port })).toBe(1);
    server.close();
    expect(await exitCode({ PORT: '1', WORKER_PORT: '1' })).toBe(1);
    expect(await exitCode({})).toBe(1);
  });
});
