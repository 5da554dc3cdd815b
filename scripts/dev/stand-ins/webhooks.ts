import { Webhook } from 'standardwebhooks';

export type Verdict = 'verified' | 'bad signature' | 'secret unknown';

/** Checks signatures as any receiver would, with the library that the standard's authors publish. */
export interface WebhookInbox {
  /** The secrets that sign for `/webhooks/<name>`. */
  trust(name: string, secrets: readonly string[]): void;
  verify(name: string, body: string, headers: Readonly<Record<string, string>>): Verdict;
}

export function createWebhookInbox(): WebhookInbox {
  const secretsOf = new Map<string, readonly string[]>();
  return {
    trust: (name, secrets) => {
      secretsOf.set(name, secrets);
    },
    verify: (name, body, headers) => {
      const secrets = secretsOf.get(name);
      if (secrets === undefined) return 'secret unknown';
      const isSigned = secrets.some((secret) => isVerified(secret, body, headers));
      return isSigned ? 'verified' : 'bad signature';
    },
  };
}

function isVerified(
  secret: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): boolean {
  try {
    new Webhook(secret).verify(body, { ...headers });
    return true;
  } catch {
    return false;
  }
}
