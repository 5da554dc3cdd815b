import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Answer, type Call, jsonOf } from './exchange.ts';

const mailSchema = z.object({
  from: z.string().includes('@'),
  to: z.array(z.email()).min(1).max(50),
  subject: z.string(),
  text: z.string().optional(),
  html: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

/** `POST /emails` in the form of Resend: a key that was seen gives the id of the first time. */
export function createEmailApi(token: string): (call: Call) => Answer {
  const known = new Map<string, { readonly id: string; readonly body: string }>();
  return ({ headers, body }) => {
    if (headers['authorization'] !== `Bearer ${token}`) {
      return trouble(401, 'invalid_api_key', 'The API key is invalid');
    }
    const parsed = mailSchema.safeParse(jsonOf(body));
    if (!parsed.success) return trouble(422, 'validation_error', parsed.error.message);
    const key = headers['idempotency-key'] ?? randomUUID();
    const text = body.toString('utf8');
    const before = known.get(key);
    if (before !== undefined && before.body !== text) {
      return trouble(409, 'invalid_idempotent_request', 'The key was used for another mail');
    }
    const id = before?.id ?? randomUUID();
    known.set(key, { id, body: text });
    const shown = { ...parsed.data, isRepeat: before !== undefined };
    return { status: 200, body: { id }, shown };
  };
}

function trouble(statusCode: number, name: string, message: string): Answer {
  return { status: statusCode, body: { statusCode, name, message } };
}
