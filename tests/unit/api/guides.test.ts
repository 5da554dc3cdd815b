import { pathToFileURL } from 'node:url';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, it, onTestFinished } from 'vitest';
import { readGuides } from '../../../api/docs/guides.ts';

interface Received {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Example {
  readonly verify: (received: Received, nowSeconds?: number) => boolean;
}

/** The code that the guide gives its readers to copy. */
async function exampleOf(slug: string): Promise<Example> {
  const guide = readGuides().find((one) => one.slug === slug);
  const code = /```js\n([\s\S]*?)```/.exec(guide?.text ?? '')?.[1] ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'guide-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'example.mjs');
  await writeFile(file, code);
  return (await import(pathToFileURL(file).href)) as Example;
}

it('what the guide verifies webhooks with takes what is signed, and nothing else', async () => {
  const { verify } = await exampleOf('webhooks');
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const body = '{"type":"transfer.settled","data":{"amount":"1250","note":"ünïcode"}}';
  const at = new Date();
  const sign = (by: string): string => new Webhook(by).sign('dlv_1', at, body);
  const headersWith = (signature: string) => ({
    'webhook-id': 'dlv_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': signature,
  });
  const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
  const headers = headersWith(sign(secret));

  expect(verify({ secret, headers, body })).toBe(true);
  expect(verify({ secret, headers: headersWith(`${sign(other)} ${sign(secret)}`), body })).toBe(
    true,
  );
  expect(verify({ secret, headers: headersWith(sign(other)), body })).toBe(false);
  expect(verify({ secret, headers, body: `${body} ` })).toBe(false);
  expect(verify({ secret, headers: { ...headers, 'webhook-id': 'dlv_2' }, body })).toBe(false);
  expect(verify({ secret, headers: {}, body })).toBe(false);
  expect(verify({ secret, headers, body }, at.getTime() / 1_000 + 301)).toBe(false);
});
