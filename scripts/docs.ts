import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { configPage, errorsPage, queuesPage } from './docs/pages.ts';
import { decisionsPage } from './docs/decisions-page.ts';
import { ENDPOINTS } from '../api/routes/index.ts';
import { openApiFile } from './docs/openapi-file.ts';
import { eventsPage } from './docs/events-page.ts';
import { notificationTablesPage } from './docs/notifications-page.ts';
import {
  clientCurrencies,
  clientErrorCodes,
  clientEvents,
  clientOperations,
} from './docs/client-types.ts';
import { operationsPage } from './docs/operations-page.ts';

/** The pages that are generated from the code: `npm run docs` writes them, `--check` compares. */
const PAGES = [
  { file: 'docs/decisions/README.md', render: decisionsPage },
  { file: 'docs/errors.md', render: errorsPage },
  { file: 'docs/queues.md', render: queuesPage },
  { file: 'docs/events.md', render: eventsPage },
  { file: 'docs/operations.md', render: operationsPage },
  { file: 'docs/config.md', render: configPage },
  { file: 'docs/notification-tables.md', render: notificationTablesPage },
  { file: 'docs/openapi.json', render: () => openApiFile(ENDPOINTS) },
  { file: 'client/src/generated/currencies.ts', render: clientCurrencies },
  { file: 'client/src/generated/error-codes.ts', render: clientErrorCodes },
  { file: 'client/src/generated/events.ts', render: clientEvents },
  { file: 'client/src/generated/operations.ts', render: clientOperations },
] as const;

const root = fileURLToPath(new URL('..', import.meta.url));
const isCheck = process.argv.includes('--check');
let stale = 0;
for (const { file, render } of PAGES) {
  const wanted = render();
  const found = await readFile(`${root}${file}`, 'utf8').catch(() => '');
  if (found === wanted) continue;
  stale += 1;
  if (isCheck) console.error(`${file} is not what the code says; run: npm run docs`);
  else await writeFile(`${root}${file}`, wanted);
}
if (!isCheck) console.log(`docs: ${stale} of ${PAGES.length} pages written, the rest were right`);
if (isCheck && stale > 0) process.exitCode = 1;
