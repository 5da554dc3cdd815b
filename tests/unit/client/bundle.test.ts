import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clientSize } from '../../../scripts/client-size.ts';
import { ROOT } from '../../support/tidy/tree.ts';

const SRC = join(ROOT, 'client/src');
/** Gzipped: what a page pays for `createClient`, and for all there is. */
const CLIENT_BYTES_MAX = 10_500;
const ALL_BYTES_MAX = 13_000;

describe('the bundle of the client', () => {
  it('is small, and smaller for whoever uses a part', async () => {
    const all = await clientSize(`export * from './index.ts'`, SRC);
    const client = await clientSize(`export { createClient } from './index.ts'`, SRC);
    const money = await clientSize(`export { money } from './index.ts'`, SRC);
    expect(all.gzipped).toBeLessThan(ALL_BYTES_MAX);
    expect(client.gzipped).toBeLessThan(CLIENT_BYTES_MAX);
    expect(money.gzipped).toBeLessThan(1_600);
  });
  it('uses nothing that is not in every runtime', () => {
    const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    expect(files.length).toBeGreaterThan(20);
    const foreign = files.filter((name) =>
      /\b(?:process|Buffer|require|__dirname|setImmediate|Deno|Bun|window)\b(?:\.\w|\()/.test(
        readFileSync(join(SRC, name), 'utf8'),
      ),
    );
    expect(foreign).toEqual([]);
  });
});
