import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Env } from '../../config/env.ts';
import { type CheckResult, fine, problem, unknown, warning } from './check.ts';
import { freeOf } from './check-mongo.ts';

const OTHERS = 0o077;
const ANSWER_MS = 2_000;

/** Files with secrets, which nobody else may read. */
export function checkFiles(root: string): readonly CheckResult[] {
  const files = ['.data/dev.json', '.env'].filter((name) => existsSync(join(root, name)));
  if (files.length === 0) return [fine('files', 'there are none with secrets')];
  return files.map((name) => {
    const mode = statSync(join(root, name)).mode & 0o777;
    if ((mode & OTHERS) === 0) return fine('files', `${name} is its owner's alone`);
    return problem('files', {
      detail: `${name} has secrets, and others may read it (${mode.toString(8)}).`,
      remedy: `chmod 600 ${name}`,
    });
  });
}

export async function checkDisk(root: string): Promise<CheckResult> {
  try {
    const { bavail, blocks } = await statfs(root);
    return freeOf('disk', bavail / blocks);
  } catch {
    return unknown('disk', `${root} cannot be looked at`);
  }
}

/** Whether the API can listen, or is listening already. */
export async function checkPort({ HOST, PORT }: Pick<Env, 'HOST' | 'PORT'>): Promise<CheckResult> {
  if (PORT === 0) return fine('port', 'a free one is taken');
  const code = await listenCode(HOST, PORT);
  if (code === undefined) return fine('port', `${PORT} is free`);
  if (code !== 'EADDRINUSE') {
    const remedy = 'Choose another HOST or PORT; below 1024 needs a right of its own.';
    return problem('port', { detail: `Nothing can listen at ${HOST}:${PORT} (${code}).`, remedy });
  }
  if (await isOurs(`http://${HOST}:${PORT}/healthz`)) {
    return fine('port', `the API runs at ${PORT}`);
  }
  const remedy = 'End whatever has it, or choose another PORT.';
  return warning('port', {
    detail: `${PORT} is taken by something that is no API of ours.`,
    remedy,
  });
}

async function listenCode(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'unknown');
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

async function isOurs(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && Reflect.get(body, 'service') === 'api';
  } catch {
    return false;
  }
}
