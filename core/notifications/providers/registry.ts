import type { Env } from '../../../config/env.ts';
import { createHttpClient } from '../../outbound/http-client.ts';
import { type ResolveHost, createResolver } from '../../outbound/resolver.ts';
import { type UrlGuard, createUrlGuard } from '../../outbound/url-guard.ts';
import type { Provider, Providers } from '../ports.ts';
import { createEmailHttpProvider } from './email-http.ts';
import { createFcmProvider } from './fcm.ts';
import { createSmtpProvider } from './smtp.ts';
import { createTwilioProvider } from './twilio.ts';
import { createWebPushProvider } from './webpush.ts';
import { createWebhookProvider } from './webhook.ts';

export interface ProviderDeps {
  readonly env: Env;
  readonly guard: UrlGuard;
}

/** The guard that the environment asks for; endpoints are checked with it when they are registered. */
export function createEnvGuard(
  env: Pick<Env, 'WEBHOOK_ALLOW_PRIVATE'>,
  resolve: ResolveHost = createResolver(),
): UrlGuard {
  return createUrlGuard({ resolve, allowLoopback: env.WEBHOOK_ALLOW_PRIVATE === 'loopback' });
}

/**
 * The providers that the environment names, the preferred ones first. A channel without any has
 * an empty list.
 *
 * @throws Error when a key in the environment is none.
 */
export function createProviders(deps: ProviderDeps): Providers {
  const http = createHttpClient({ keepAlive: true });
  return Object.freeze({
    email: defined([smtpOf(deps), emailHttpOf(deps)]),
    sms: defined([twilioOf(deps)]),
    push: defined([fcmOf(deps), webPushOf(deps)]),
    webhook: [createWebhookProvider({ ...deps, http })],
  });
}

function defined<T>(list: readonly (T | undefined)[]): readonly T[] {
  return list.filter((item) => item !== undefined);
}

function smtpOf({ env }: ProviderDeps): Provider<'email'> | undefined {
  const { SMTP_URL: url, MAIL_FROM: from } = env;
  return url === undefined ? undefined : createSmtpProvider({ url, from });
}

function emailHttpOf({ env }: ProviderDeps): Provider<'email'> | undefined {
  const { MAIL_HTTP_URL: url, MAIL_HTTP_TOKEN: token, MAIL_FROM: from } = env;
  if (url === undefined) return undefined;
  const http = createHttpClient({ keepAlive: true });
  return createEmailHttpProvider({ url, token, from, http });
}

function twilioOf({ env }: ProviderDeps): Provider<'sms'> | undefined {
  const { SMS_URL: url, SMS_ACCOUNT: account, SMS_TOKEN: token, SMS_FROM: from } = env;
  if (account === undefined || token === undefined || from === undefined) return undefined;
  const http = createHttpClient({ keepAlive: false });
  return createTwilioProvider({ url, account, token, from, http });
}

function fcmOf({ env }: ProviderDeps): Provider<'push'> | undefined {
  const { FCM_URL: url, FCM_SERVICE_ACCOUNT: account } = env;
  if (account === undefined) return undefined;
  const http = createHttpClient({ keepAlive: true });
  return createFcmProvider({ url, account, http });
}

function webPushOf({ env, guard }: ProviderDeps): Provider<'push'> | undefined {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey } = env;
  if (publicKey === undefined || privateKey === undefined) return undefined;
  const http = createHttpClient({ keepAlive: true });
  const subject = env.VAPID_SUBJECT;
  return createWebPushProvider({ publicKey, privateKey, subject, http, guard });
}
