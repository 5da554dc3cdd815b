import { connect } from 'node:net';
import type { Env } from '../../config/env.ts';
import { type CheckResult, fine, problem, warning } from './check.ts';

interface Provider {
  readonly name: string;
  readonly setting: keyof Env;
  readonly url: string;
}

const CONNECT_MS = 3_000;
const PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'smtp:': 25,
  'smtps:': 465,
};

/** Whether this machine can reach what it is to call: a connection is opened, nothing is sent. */
export async function checkProviders(env: Env): Promise<readonly CheckResult[]> {
  const providers = providersOf(env);
  const results = await Promise.all(providers.map(checkProvider));
  const hasPayments = providers.some(({ name }) => name.startsWith('payment/'));
  const remedy = 'Set PAYMENT_PROVIDER_URL where the pool "saga" runs.';
  const none = { detail: 'There is no payment provider: deposits and withdrawals wait.', remedy };
  const isMissing = !hasPayments && env.WORKER_POOLS.includes('saga');
  return isMissing ? [...results, warning('providers', none)] : results;
}

function providersOf(env: Env): readonly Provider[] {
  const named: readonly (readonly [string, keyof Env, string | undefined])[] = [
    ['payment/sandbox', 'SANDBOX_URL', env.SANDBOX_URL],
    ['payment/http', 'PAYMENT_PROVIDER_URL', env.PAYMENT_PROVIDER_URL],
    ['email/smtp', 'SMTP_URL', env.SMTP_URL],
    ['email/email-http', 'MAIL_HTTP_URL', env.MAIL_HTTP_URL],
    ['sms/twilio', 'SMS_URL', env.SMS_ACCOUNT === undefined ? undefined : env.SMS_URL],
    ['tracing', 'OTEL_EXPORTER_OTLP_ENDPOINT', env.OTEL_EXPORTER_OTLP_ENDPOINT],
    ['push/fcm', 'FCM_URL', env.FCM_SERVICE_ACCOUNT === undefined ? undefined : env.FCM_URL],
  ];
  return named.flatMap(([name, setting, url]) =>
    url === undefined ? [] : [{ name, setting, url }],
  );
}

async function checkProvider({ name, setting, url }: Provider): Promise<CheckResult> {
  const { hostname, port, protocol, host } = new URL(url);
  const code = await connectCode(hostname, port === '' ? (PORTS[protocol] ?? 0) : Number(port));
  if (code === undefined) return fine(name, `${host} can be reached`);
  const remedy = `Is ${setting} right? Look at DNS, egress rules and whether it is up.`;
  return problem(name, { detail: `${host} cannot be reached (${code}).`, remedy });
}

async function connectCode(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port });
    const end = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.setTimeout(CONNECT_MS, () => {
      end('ETIMEDOUT');
    });
    socket.once('connect', () => {
      end(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? error.message);
    });
  });
}
