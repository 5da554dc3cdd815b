import type { EntryDoc } from '../../core/ledger/documents.ts';
import type { Registry } from '../../core/operations/define.ts';
import type { AuditDoc } from '../../core/operations/intervention-store.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { DEFAULT_TENANT_ID } from '../../core/tenants/tenant.ts';
import type { Reply } from '../http/reply.ts';
import { operationView } from '../views/operation.ts';
import { timelineView } from '../views/timeline.ts';
import { type Html, html, htmlReply } from './html.ts';

export function lockedPage(): Reply {
  return htmlReply({
    title: 'Admin is shut',
    status: 503,
    body: html`<h1>Admin is shut</h1>
      <p>
        Set <code>ADMIN_PASSWORD</code> (at least 8 characters) in the environment of the API and
        start it again.
      </p>`,
  });
}

interface LoginPage {
  readonly status?: number;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function loginPage({ status = 200, message = '', headers = {} }: LoginPage = {}): Reply {
  return htmlReply({
    title: 'Sign in',
    status,
    headers,
    body: html`<h1>Sluice admin</h1>
      <form method="post" action="/admin/login">
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autofocus
          required
          autocomplete="current-password"
        />
        <button>Sign in</button>
        <p class="error" role="alert">${message}</p>
      </form>`,
  });
}

function header(title: string, formToken: string): Html {
  return html`<header>
    <h1>${title}</h1>
    <a href="/admin">Admin</a>
    <a href="/admin/queues">Queues</a>
    <form method="post" action="/admin/logout">
      <input type="hidden" name="token" value="${formToken}" />
      <button>Sign out</button>
    </form>
  </header>`;
}

export function homePage(formToken: string): Reply {
  return htmlReply({
    title: 'Admin',
    body: html`${header('Sluice admin', formToken)}
      <h2>Look up an operation</h2>
      <form method="get" action="/admin/operations">
        <label for="id">Operation id</label>
        <input id="id" name="id" placeholder="op_…" size="40" required />
        <label for="tenant">Tenant</label>
        <input id="tenant" name="tenant" value="${DEFAULT_TENANT_ID}" required />
        <button>Show</button>
      </form>
      <h2>Elsewhere</h2>
      <ul>
        <li><a href="/admin/queues">Queues</a> (Bull Board)</li>
        <li><a href="/readyz">Readiness</a></li>
        <li><a href="/internal/autoscale">Queue depths and advice on replicas</a></li>
        <li><a href="/metrics">Metrics</a></li>
      </ul>`,
  });
}

export function missingPage(formToken: string, id: string): Reply {
  return htmlReply({
    title: 'Not found',
    status: 404,
    body: html`${header('Not found', formToken)}
      <p>The tenant has no operation <code>${id}</code>.</p>`,
  });
}

interface OperationPage {
  readonly operation: OperationDoc;
  readonly entries: readonly EntryDoc[];
  readonly audit: readonly AuditDoc[];
  readonly registry: Registry;
  readonly formToken: string;
}

export function operationPageOf(page: OperationPage): Reply {
  const { operation, entries, audit, registry, formToken } = page;
  const view = operationView(operation, registry);
  const { links, ...shown } = view;
  const timeline = timelineView(operation, { entries, audit });
  return htmlReply({
    title: operation._id,
    body: html`${header('Operation', formToken)}
      <h2>${operation._id}</h2>
      <p>
        <span class="status ${operation.status}">${operation.status}</span> · ${operation.type} ·
        tenant ${operation.tenantId} · lane ${operation.lane ?? 'none'}
      </p>
      ${view.error === undefined ? '' : html`<p class="error">${view.error.detail}</p>`}
      <h2>Timeline</h2>
      ${eventTable(timeline.events)}
      <h2>Entries</h2>
      ${entries.length === 0 ? html`<p>None.</p>` : entryTable(timeline.entries)}
      <h2>Document</h2>
      <pre>${JSON.stringify(shown, null, 2)}</pre>
      <p>For clients: <code>${links.self}</code></p>`,
  });
}

function eventTable(events: ReturnType<typeof timelineView>['events']): Html {
  const rows = events.map(({ at, event, ...details }) => {
    const said = Object.entries(details).map(([name, value]) => `${name} ${textOf(value)}`);
    return html`<tr>
      <td class="tight">${at}</td>
      <td class="tight">${event}</td>
      <td>${said.join(' · ')}</td>
    </tr>`;
  });
  return html`<table>
    <thead>
      <tr>
        <th>At</th>
        <th>Event</th>
        <th>Details</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function entryTable(entries: ReturnType<typeof timelineView>['entries']): Html {
  const rows = entries.map(
    (entry) =>
      html`<tr>
        <td>${entry.userId}</td>
        <td>${entry.balanceType} ${entry.direction}</td>
        <td class="number">${entry.amount} ${entry.currency}</td>
        <td class="number">${entry.balanceAfter}</td>
        <td class="number">${entry.seq}</td>
      </tr>`,
  );
  return html`<table>
    <thead>
      <tr>
        <th>Owner</th>
        <th>Entry</th>
        <th class="number">Amount</th>
        <th class="number">Balance after</th>
        <th class="number">Seq</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
