import type { Received } from './exchange.ts';
import type { Mail } from './mail-server.ts';

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top}
tr+tr{border-top:1px solid #ddd}pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
iframe{width:100%;height:24rem;border:1px solid #ddd}`;
const SHOWN_MAX = 100;

/** What has arrived, the newest first. */
export function overviewPage(mails: readonly Mail[], received: readonly Received[]): string {
  const mailRows = mails
    .toReversed()
    .map(({ number, receivedAt, to, subject }) => [
      time(receivedAt),
      escape(to.join(', ')),
      `<a href="/mails/${String(number)}">${escape(subject)}</a>`,
    ]);
  const rows = received
    .slice(-SHOWN_MAX)
    .toReversed()
    .map((one) => [
      time(one.at),
      escape(one.area),
      escape(one.path),
      escape(one.fault ?? one.verdict ?? String(one.status)),
      `<pre>${escape(JSON.stringify(one.content ?? one.body, null, 1))}</pre>`,
    ]);
  return layout(
    'Stand-ins',
    `<h1>What has arrived</h1><h2>Mails</h2>${table(['Time', 'To', 'Subject'], mailRows)}
<h2>Webhooks, SMS, pushes, mails by HTTP</h2>
${table(['Time', 'Kind', 'Path', 'Result', 'Content'], rows)}
<p>As JSON: <a href="/mails">/mails</a>, <a href="/received">/received</a>.</p>`,
    '<meta http-equiv="refresh" content="5">',
  );
}

export function mailPage(mail: Mail | undefined): string {
  if (mail === undefined) return layout('No such mail', '<p>There is no such mail (any more).</p>');
  const { from, to, subject, messageId, text, html } = mail;
  // A sandboxed frame: a mail runs no script here and loads nothing as us.
  const shown =
    html === '' ? '' : `<h2>HTML</h2><iframe sandbox srcdoc="${escape(html)}"></iframe>`;
  return layout(
    subject,
    `<p><a href="/">All</a></p><h1>${escape(subject)}</h1>
<p>From ${escape(from)} to ${escape(to.join(', '))}, ${escape(messageId)}</p>
<h2>Text</h2><pre>${escape(text)}</pre>${shown}`,
  );
}

function layout(title: string, body: string, head = ''): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>
<style>${STYLE}</style>${head}<body>${body}</body></html>`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None yet.</p>';
  const head = columns.map((column) => `<th>${column}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<table><tr>${head}</tr>${body.join('')}</table>`;
}

function time(iso: string): string {
  return iso.slice(11, 19);
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${String(char.charCodeAt(0))};`);
}
