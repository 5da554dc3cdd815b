import type { DevFile } from '../../../cli/dev-file.ts';

interface Addresses {
  readonly dev: DevFile;
  readonly workerUrls: readonly string[];
  /** Users that the sample has made, for a line to try. */
  readonly payer: string;
  readonly payee: string;
}

/** What to open, and a line to paste. */
export function addressLines({ dev, workerUrls, payer, payee }: Addresses): string[] {
  const { url, apiKey, adminPassword, sandboxUrl, inboxUrl } = dev;
  const transfer = JSON.stringify({
    fromUserId: payer,
    toUserId: payee,
    currency: 'EUR',
    amount: '1250',
  });
  return [
    '',
    `  Console    ${url}/admin   password ${adminPassword}`,
    `  API        ${url}/v1   (key in .data/dev.json; \`npx sluice …\` finds it by itself)`,
    `  Queues     ${url}/admin/queues   (Bull Board, same password)`,
    ...(sandboxUrl === undefined
      ? []
      : [
          `  Payments   ${sandboxUrl}/payments   (the sandbox provider; POST /faults makes it fail)`,
        ]),
    `  Metrics    ${[url, ...workerUrls].map((one) => `${one}/metrics`).join('  ')}`,
    ...(inboxUrl === undefined
      ? []
      : [`  Inbox      ${inboxUrl}   (mails, webhooks, SMS and pushes that were sent)`]),
    '  Logs       .data/logs/',
    '',
    '  Try a transfer of 12.50 EUR:',
    '',
    `  curl -sS ${url}/v1/transfers \\`,
    `    -H 'Authorization: Bearer ${apiKey}' \\`,
    `    -H "Idempotency-Key: try-$(date +%s)" -H 'Prefer: wait=5' \\`,
    `    -H 'Content-Type: application/json' \\`,
    `    -d '${transfer}'`,
    '',
  ];
}
