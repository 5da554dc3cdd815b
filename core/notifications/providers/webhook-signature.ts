import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

export interface SignedContent {
  readonly id: string;
  readonly timestamp: string;
  readonly body: string;
}

/** `webhook-signature` of Standard Webhooks 1.0.0: one `v1` signature for each secret. */
export function signatureHeader(secrets: readonly string[], content: SignedContent): string {
  const { id, timestamp, body } = content;
  const signed = `${id}.${timestamp}.${body}`;
  return secrets
    .map((secret) => {
      const key = Buffer.from(
        secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret,
        'base64',
      );
      return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
    })
    .join(' ');
}
