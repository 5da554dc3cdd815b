import { generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { z } from 'zod';
import { type Answer, type Call, jsonOf } from './exchange.ts';

const PROJECT = 'sluice-local';
const RESERVED = /^(from|message_type)$|^(google|gcm)/;
const MESSAGE_BYTES_MAX = 4_096;
const TOKEN_SECONDS = 3_600;
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const messageSchema = z.object({
  message: z.looseObject({
    token: z.string().min(1),
    notification: z.object({ title: z.string(), body: z.string() }),
    data: z.record(z.string(), z.string()).optional(),
  }),
});

const claimsSchema = z.object({
  iss: z.string(),
  aud: z.string(),
  scope: z.string(),
  iat: z.number(),
  exp: z.number(),
});

/**
 * Google's token endpoint and FCM HTTP v1. Device tokens `unregistered-…` are no longer known,
 * `mismatched-…` are of another project.
 */
export interface FcmService {
  /** The JSON that an operator would download. */
  serviceAccount(baseUrl: string): string;
  token(call: Call): Answer;
  send(call: Call): Answer;
  /** Makes every access token that was given out worthless. */
  revoke(): void;
}

export function createFcmService(): FcmService {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const clientEmail = `sluice@${PROJECT}.iam.gserviceaccount.com`;
  const given = new Set<string>();

  const isSigned = (jwt: string): boolean => {
    const [head = '', claims = '', signature = ''] = jwt.split('.');
    const signed = Buffer.from(`${head}.${claims}`);
    if (!verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))) return false;
    const parsed = claimsSchema.safeParse(jsonOf(Buffer.from(claims, 'base64url')));
    if (!parsed.success) return false;
    const { iss, aud, scope, iat, exp } = parsed.data;
    return (
      iss === clientEmail &&
      aud.endsWith('/token') &&
      scope === 'https://www.googleapis.com/auth/firebase.messaging' &&
      exp - iat <= TOKEN_SECONDS &&
      exp * 1_000 > Date.now()
    );
  };

  return {
    serviceAccount: (baseUrl) =>
      JSON.stringify({
        type: 'service_account',
        project_id: PROJECT,
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        client_email: clientEmail,
        token_uri: `${baseUrl}/token`,
      }),
    token: ({ body }) => {
      const form = new URLSearchParams(body.toString('utf8'));
      if (form.get('grant_type') !== GRANT || !isSigned(form.get('assertion') ?? '')) {
        return { status: 400, body: { error: 'invalid_grant' } };
      }
      const token = `ya29.${randomUUID()}`;
      given.add(token);
      const reply = { access_token: token, expires_in: TOKEN_SECONDS, token_type: 'Bearer' };
      return { status: 200, body: reply };
    },
    send: ({ headers, body, path }) => {
      const token = (headers['authorization'] ?? '').replace('Bearer ', '');
      if (!given.has(token)) return trouble(401, 'UNAUTHENTICATED');
      const parsed = messageSchema.safeParse(jsonOf(body));
      if (!path.includes(`/${PROJECT}/`) || !parsed.success) {
        return trouble(400, 'INVALID_ARGUMENT');
      }
      const { message } = parsed.data;
      // As FCM does: names of its own, and no more than 4 KB of what the device gets.
      const { notification, data = {} } = message;
      const isReserved = Object.keys(data).some((name) => RESERVED.test(name));
      const bytes = Buffer.byteLength(JSON.stringify({ notification, data }));
      if (isReserved || bytes > MESSAGE_BYTES_MAX) return trouble(400, 'INVALID_ARGUMENT');
      if (message.token.startsWith('mismatched-')) return trouble(403, 'SENDER_ID_MISMATCH');
      if (message.token.startsWith('unregistered-')) return trouble(404, 'UNREGISTERED');
      const name = `projects/${PROJECT}/messages/${randomUUID()}`;
      return { status: 200, body: { name }, shown: message };
    },
    revoke: () => {
      given.clear();
    },
  };
}

const TYPE = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';

function trouble(code: number, errorCode: string): Answer {
  const details = [{ '@type': TYPE, errorCode }];
  return { status: code, body: { error: { code, status: errorCode, message: 'no', details } } };
}
