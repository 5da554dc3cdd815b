import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { LOCAL_HOST } from '../../../scripts/dev/servers/ports.ts';

export interface Registry {
  readonly url: string;
  /** Tarballs that were sent. */
  readonly sent: () => number;
  close(): void;
}

/** An npm registry on this machine that has one version of one package. */
export async function startRegistry(
  name: string,
  version: string,
  tarball: Buffer,
): Promise<Registry> {
  let sent = 0;
  const server: Server = createServer((request, response) => {
    const isTarball = request.url?.endsWith('.tgz') === true;
    if (isTarball) sent += 1;
    const dist = { tarball: `${url}/${name}.tgz`, integrity: integrityOf(tarball) };
    const versions = { [version]: { name, version, dist } };
    const about = { name, 'dist-tags': { latest: version }, versions };
    response.end(isTarball ? tarball : JSON.stringify(about));
  });
  await new Promise<void>((listening) => server.listen(0, LOCAL_HOST, listening));
  const url = `http://${LOCAL_HOST}:${String((server.address() as AddressInfo).port)}`;
  return Object.freeze({
    url,
    sent: () => sent,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  });
}

export function integrityOf(content: Buffer): string {
  return `sha512-${createHash('sha512').update(content).digest('base64')}`;
}

/** A package with a `bin/node` that only knows its version. */
export function packNode(folder: string, name: string, version: string): Buffer {
  const packed = join(folder, 'package');
  mkdirSync(join(packed, 'bin'), { recursive: true });
  writeFileSync(join(packed, 'package.json'), JSON.stringify({ name, version }));
  writeFileSync(join(packed, 'bin', 'node'), `#!/bin/sh\necho v${version}\n`);
  chmodSync(join(packed, 'bin', 'node'), 0o755);
  execFileSync('tar', ['-czf', join(folder, 'node.tgz'), '-C', folder, 'package']);
  return readFileSync(join(folder, 'node.tgz'));
}
