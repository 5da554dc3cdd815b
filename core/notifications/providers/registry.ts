import type { Env } from '../../../config/env.ts';
import type { Clock } from '../../kernel/clock.ts';
import { createHttpClient } from '../outbound/http-client.ts';
import { type ResolveHost, createResolver } from '../outbound/resolver.ts';
import { type UrlGuard, createUrlGuard } from '../outbound/url-guard.ts';
import type { Providers } from '../ports.ts';
import { createSmtpProvider } from './smtp.ts';
import { createWebhookProvider } from './webhook.ts';

export interface ProviderDeps {
  readonly env: Env;
  readonly clock: Pick<Clock, 'now'>;
  readonly guard: UrlGuard;
}

/** The guard that the environment asks for; endpoints are checked with it when they are registered. */
export function createEnvGuard(
  env: Pick<Env, 'WEBHOOK_ALLOW_PRIVATE'>,
  resolve: ResolveHost = createResolver(),
): UrlGuard {
  return createUrlGuard({ resolve, allowLoopback: env.WEBHOOK_ALLOW_PRIVATE === 'loopback' });
}

/** The providers that the environment names, the preferred ones first. */
export function createProviders({ env, clock, guard }: ProviderDeps): Providers {
  return Object.freeze({
    email: emailProviders(env),
    sms: [],
    push: [],
    webhook: [createWebhookProvider({ http: createHttpClient({ keepAlive: true }), guard, clock })],
  });
}

function emailProviders(env: Env): Providers['email'] {
  const { SMTP_URL: url, MAIL_FROM: from } = env;
  return url === undefined ? [] : [createSmtpProvider({ url, from })];
}
