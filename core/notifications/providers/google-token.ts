import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import type { HttpClient, HttpReply } from '../../outbound/http-client.ts';
import { jsonOf } from '../delivery/outcome.ts';
import type { SendTools } from '../ports.ts';
import { signJwt } from './jwt.ts';

/** What Google gives out for a service account. */
export interface ServiceAccountKey {
  readonly project_id: string;
  readonly client_email: string;
  readonly private_key: string;
  readonly token_uri: string;
}

export type TokenResult =
  { readonly ok: true; readonly token: string } | { readonly ok: false; readonly reply: HttpReply };

/** Access tokens for a service account (OAuth 2.0 JWT bearer, RFC 7523), kept while they are good. */
export interface TokenSource {
  /** `now`: by the database's clock. */
  get(asking: Pick<SendTools, 'signal' | 'now'>): Promise<TokenResult>;
  /** The token was refused: the next one is a new one. */
  drop(token: string): void;
}

interface TokenSourceOptions {
  readonly account: ServiceAccountKey;
  readonly scope: string;
  readonly http: HttpClient;
}

const LIFETIME_SECONDS = 3_600;
/** No token is used this close to its end. */
const MARGIN_MS = 60_000;
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const replySchema = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
});

export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { account, scope, http } = options;
  const key = createPrivateKey(account.private_key);
  const url = new URL(account.token_uri);
  let known: { readonly token: string; readonly goodUntilMs: number } | undefined;
  /** One request for all who wait; each of them has a deadline of its own. */
  let asking: Promise<TokenResult> | undefined;

  const ask = async (now: () => number): Promise<TokenResult> => {
    const iat = Math.floor(now() / 1_000);
    const claims = {
      iss: account.client_email,
      scope,
      aud: account.token_uri,
      iat,
      exp: iat + LIFETIME_SECONDS,
    };
    const assertion = signJwt({ algorithm: 'RS256', key, claims });
    const reply = await http.post({
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
      // Shared by all who wait, so not theirs; short, since they wait in vain while it hangs.
      signal: AbortSignal.timeout(LIMITS.accessTokenMs),
    });
    if (reply.kind === 'failed') return { ok: false, reply };
    const parsed = replySchema.safeParse(jsonOf(reply));
    if (reply.status !== 200 || !parsed.success) return { ok: false, reply };
    const { access_token: token, expires_in: seconds } = parsed.data;
    known = { token, goodUntilMs: now() + seconds * 1_000 - MARGIN_MS };
    return { ok: true, token };
  };

  return Object.freeze({
    get: async ({ signal, now }: Pick<SendTools, 'signal' | 'now'>): Promise<TokenResult> => {
      if (known !== undefined && now() < known.goodUntilMs) {
        return { ok: true, token: known.token };
      }
      asking ??= ask(now).finally(() => {
        asking = undefined;
      });
      return Promise.race([asking, late(signal)]);
    },
    drop: (token: string) => {
      if (known?.token === token) known = undefined;
    },
  });
}

async function late(signal: AbortSignal): Promise<TokenResult> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
  const reply = { kind: 'failed', code: 'timeout', detail: 'No token in time' } as const;
  return { ok: false, reply: { ...reply, mayHaveSent: false } };
}
