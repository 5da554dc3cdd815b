import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { type VerifyWebhookOptions, verifyWebhook } from '../../../client/src/index.ts';
import { signatureHeader } from '../../../core/notifications/providers/webhook-signature.ts';
import { newEndpointSecret } from '../../../core/notifications/webhooks/webhook-endpoint.ts';

const SECRET = newEndpointSecret();
const OTHER = newEndpointSecret();
const AT = 1_790_000_000;
const BODY = JSON.stringify({
  ...{ id: 'op_1.e1', type: 'transfer.settled', timestamp: '2026-09-21T00:00:00.000Z' },
  data: { transferId: 'trf_1', fromUserId: 'ada', toUserId: 'bob', currency: 'EUR', amount: '5' },
});

interface Call {
  readonly secrets?: readonly string[];
  readonly body?: string;
  readonly at?: number;
}

function headersOf({ secrets = [SECRET], body = BODY, at = AT }: Call = {}) {
  const timestamp = String(at);
  return {
    'webhook-id': 'dlv_1',
    'webhook-timestamp': timestamp,
    'webhook-signature': signatureHeader(secrets, { id: 'dlv_1', timestamp, body }),
  };
}

const verify = (options: Partial<VerifyWebhookOptions> = {}) =>
  verifyWebhook({
    ...{ body: BODY, headers: headersOf(), secrets: SECRET, nowMs: AT * 1_000 },
    ...options,
  });

describe('a webhook', () => {
  it('is trusted when the server has signed it, and is an event', async () => {
    const event = await verify();
    expect(event).toMatchObject({ webhookId: 'dlv_1', type: 'transfer.settled' });
    if (event.type === 'transfer.settled') expect(event.data.toUserId).toBe('bob');
  });
  it('is trusted when the reference library has signed it', async () => {
    const signature = new Webhook(SECRET).sign('dlv_1', new Date(AT * 1_000), BODY);
    const headers = { ...headersOf(), 'webhook-signature': signature };
    expect((await verify({ headers })).id).toBe('op_1.e1');
  });
  it('takes headers in any form, and the body as bytes', async () => {
    const plain = headersOf();
    const upper = Object.entries(plain).map(([name, value]) => [name.toUpperCase(), [value]]);
    const forms = [new Headers(plain), Object.fromEntries(upper) as Record<string, string[]>];
    for (const headers of forms) expect((await verify({ headers })).webhookId).toBe('dlv_1');
    expect((await verify({ body: new TextEncoder().encode(BODY) })).webhookId).toBe('dlv_1');
  });
  it('is trusted while secrets are rotated, whichever side is ahead', async () => {
    const headers = headersOf({ secrets: [OTHER, SECRET] });
    expect((await verify({ headers })).webhookId).toBe('dlv_1');
    expect((await verify({ secrets: [OTHER, SECRET] })).webhookId).toBe('dlv_1');
  });
  it.each([
    ['another secret', { secrets: OTHER }, 'signature_mismatch'],
    ['another body', { body: BODY.replace('"5"', '"6"') }, 'signature_mismatch'],
    ['a body that was written anew', { body: `${BODY} ` }, 'signature_mismatch'],
    ['a call of long ago', { nowMs: (AT + 301) * 1_000 }, 'too_old'],
    ['a call from the future', { nowMs: (AT - 301) * 1_000 }, 'too_new'],
    ['a body that was parsed', { body: JSON.parse(BODY) as string }, 'invalid_argument'],
    ['no secret', { secrets: [] }, 'invalid_argument'],
    ['an empty secret', { secrets: 'whsec_' }, 'invalid_argument'],
    ['a secret that is none', { secrets: 'whsec_???' }, 'invalid_argument'],
    ['no headers', { headers: {} }, 'header_missing'],
  ] as const)('is not trusted: %s', async (_what, options, code) => {
    await expect(verify(options)).rejects.toMatchObject({ code });
  });
  it.each([
    ['of another id', { 'webhook-id': 'dlv_2' }],
    ['of another time', { 'webhook-timestamp': String(AT + 1) }],
    [
      'of another version',
      { 'webhook-signature': headersOf()['webhook-signature'].replace('v1,', 'v2,') },
    ],
    ['cut short', { 'webhook-signature': headersOf()['webhook-signature'].slice(0, -8) }],
    ['empty of its kind', { 'webhook-signature': 'v1,' }],
    ['noise', { 'webhook-signature': 'v1,%%% v1a,xx ,, v1' }],
  ])('is not trusted with a signature that is %s', async (_what, changed) => {
    const headers = { ...headersOf(), ...changed };
    await expect(verify({ headers })).rejects.toMatchObject({ code: 'signature_mismatch' });
  });
  it('is trusted at the very edge of the tolerance, both ways', async () => {
    for (const shift of [-300, 300]) {
      expect((await verify({ nowMs: (AT + shift) * 1_000 })).webhookId).toBe('dlv_1');
    }
    const strict = verify({ toleranceSeconds: 5, nowMs: (AT + 6) * 1_000 });
    await expect(strict).rejects.toMatchObject({ code: 'too_old' });
  });
  it.each(['null', '[]', '{"type":"transfer.settled"}', 'not json', '\ud800'])(
    'that is signed and no event says so: %s',
    async (body) => {
      const options = { body, headers: headersOf({ body }) };
      await expect(verify(options)).rejects.toMatchObject({ code: 'body_invalid' });
    },
  );
  it('with a time that is none is not trusted, though signed', async () => {
    const content = { id: 'dlv_1', timestamp: '1e9', body: BODY };
    const headers = {
      ...headersOf(),
      'webhook-timestamp': '1e9',
      'webhook-signature': signatureHeader([SECRET], content),
    };
    await expect(verify({ headers })).rejects.toMatchObject({ code: 'header_invalid' });
  });
});
