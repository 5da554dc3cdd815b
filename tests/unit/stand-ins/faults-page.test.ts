import { afterEach, describe, expect, it } from 'vitest';
import { startSandbox } from '../../../scripts/dev/sandbox/server.ts';
import { startReceiver } from '../../../scripts/dev/stand-ins/receiver.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function open(which: 'sandbox' | 'receiver'): Promise<string> {
  const server = which === 'sandbox' ? await startSandbox() : await startReceiver();
  closing.push(() => server.close());
  return server.url;
}

describe.each([
  ['sandbox', 'payouts'],
  ['receiver', 'webhooks'],
] as const)('the faults that the %s is told of', (which, on) => {
  it('are listed by a GET, which clears none of them', async () => {
    const url = `${await open(which)}/faults`;
    const fault = { on, kind: 'hang', times: 3 };
    const added = await fetch(url, { method: 'POST', body: JSON.stringify(fault) });
    expect(added.status).toBe(204);
    for (let look = 0; look < 2; look += 1) {
      const response = await fetch(url);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ faults: [fault] });
    }
  });

  it('are cleared by a DELETE, and by nothing else', async () => {
    const url = `${await open(which)}/faults`;
    await fetch(url, { method: 'POST', body: JSON.stringify({ on, kind: 'hang' }) });
    expect((await fetch(url, { method: 'PUT' })).status).toBe(405);
    expect(await (await fetch(url)).json()).toMatchObject({ faults: [{ on }] });
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
    expect(await (await fetch(url)).json()).toEqual({ faults: [] });
  });
});
