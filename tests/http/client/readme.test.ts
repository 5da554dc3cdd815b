import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import ts from 'typescript';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { signatureHeader } from '../../../core/notifications/providers/webhook-signature.ts';
import { newEndpointSecret } from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import { openQueues } from '../../../queues/producer.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import { ADMIN_KEY, useApi } from '../../support/api.ts';
import { moduleOf, readExamples } from '../../support/client/readme-examples.ts';
import { ROOT } from '../../support/tidy/tree.ts';

const api = useApi({ worker: true });
const secret = newEndpointSecret();
const examples = readExamples();

beforeAll(() => {
  const queues = openQueues(api.platform);
  api.platform.lifecycle.onClose('event queues', () => queues.close());
  startNotifications({ platform: api.platform, publisher: queues.publisher });
});

async function putModule(): Promise<string> {
  await mkdir(join(ROOT, '.data'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, '.data/readme-'));
  const home = process.cwd();
  onTestFinished(async () => {
    process.chdir(home);
    await rm(folder, { recursive: true });
  });
  const client = '../../client/src/index.ts';
  const file = join(folder, 'examples.ts');
  await writeFile(file, moduleOf(examples, { client, url: api.url, key: ADMIN_KEY, secret }));
  process.chdir(folder); // an example makes a folder
  return file;
}

function signedRequest(): Request {
  const body = JSON.stringify({
    ...{ id: 'op_1.e1', type: 'transfer.settled', timestamp: new Date().toISOString() },
    data: { amountText: '12.50 EUR' },
  });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const headers = {
    'webhook-id': 'dlv_1',
    'webhook-timestamp': timestamp,
    'webhook-signature': signatureHeader([secret], { id: 'dlv_1', timestamp, body }),
  };
  return new Request('http://shop.test/hook', { method: 'POST', body, headers });
}

type Handler = (request: Request) => Promise<Response>;

describe('the examples of the client', () => {
  it('do what they say', async () => {
    const printed: string[][] = [];
    const handlers: Handler[] = [];
    const log = console.log;
    const globals = {
      told: () => printed.push([]),
      received: (handler: Handler) => handlers.push(handler),
    };
    Object.assign(globalThis, globals);
    console.log = (...args: unknown[]) => {
      const texts = args.map((arg) => (typeof arg === 'string' ? arg : inspect(arg)));
      printed.at(-1)?.push(texts.join(' '));
    };
    onTestFinished(() => {
      console.log = log;
      for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name);
    });
    await import(/* @vite-ignore */ await putModule());
    expect(examples.length).toBeGreaterThan(8);
    expect(printed.length).toBe(examples.length);
    for (const [index, { title, prints }] of examples.entries()) {
      const shown = printed[index] ?? [];
      expect([title, ...prints.filter((text) => !shown.includes(text))]).toEqual([title]);
    }
    const [bulk] = printed.filter((_, index) => examples[index]?.title === 'Many at once');
    expect(bulk).toEqual(['succeeded', 'succeeded', 'rejected']);
    const [onWebhook] = handlers;
    expect((await onWebhook?.(signedRequest()))?.status).toBe(204);
    expect(printed.at(-1)).toEqual(['dlv_1 12.50 EUR']);
    const forged = new Request('http://shop.test/hook', { method: 'POST', body: '{}' });
    expect(await (await onWebhook?.(forged))?.text()).toBe('header_missing');
  }, 60_000);

  it('compile as they stand', async () => {
    const file = await putModule();
    const config = ts.getParsedCommandLineOfConfigFile(
      join(ROOT, 'tsconfig.json'),
      { noEmit: true },
      {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: () => undefined,
      },
    );
    await writeFile(
      join(file, '../globals.d.ts'),
      'declare var told: (index: number) => void;\n' +
        'declare var received: (handler: (request: Request) => Promise<Response>) => void;\n',
    );
    const options = { ...config?.options, typeRoots: [join(ROOT, 'node_modules/@types')] };
    const program = ts.createProgram([file, join(file, '../globals.d.ts')], options);
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(problems).toEqual([]);
  }, 60_000);
});
