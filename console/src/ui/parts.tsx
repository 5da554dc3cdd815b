import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { moneyText } from '../pure/money.ts';
import { agoText } from '../pure/time.ts';
import { now } from '../state.ts';
import type { Problem } from '../types.ts';
import type { Called } from '../use-call.ts';

interface PageProps {
  readonly title: string;
  /** Beside the title. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page with its heading, which has the focus when the page is new: that is what is read out. */
export function Page({ title, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Sluice`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <div class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions === undefined ? null : <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

interface PanelProps {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Panel({ title, aside, children }: PanelProps) {
  return (
    <section class="panel" aria-label={title}>
      <div class="panel-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Words beside the colour: neither says it alone. */
const TONES: Readonly<Record<string, string>> = {
  succeeded: 'good',
  done: 'good',
  sent: 'good',
  active: 'good',
  enabled: 'good',
  ready: 'good',
  ok: 'good',
  completed: 'good',
  accepted: 'busy',
  running: 'busy',
  started: 'busy',
  waiting: 'busy',
  pending: 'busy',
  sending: 'busy',
  compensating: 'warn',
  compensated: 'warn',
  undone: 'warn',
  unsure: 'warn',
  uncertain: 'warn',
  skipped: 'calm',
  canceled: 'calm',
  expired: 'calm',
  absent: 'calm',
  rejected: 'bad',
  refused: 'bad',
  failed: 'bad',
  needs_attention: 'bad',
  blocked: 'bad',
  disabled: 'bad',
  away: 'bad',
};

export function toneOf(status: string): string {
  return TONES[status] ?? 'calm';
}

export function Status({ of }: { readonly of: string }) {
  return <span class={`status ${toneOf(of)}`}>{of.replaceAll('_', ' ')}</span>;
}

interface TimeProps {
  readonly at: string;
  readonly ago?: boolean;
  /** To the millisecond: what follows each other quickly. */
  readonly isExact?: boolean;
}

/** In the time of whoever reads, with the one that logs have on hovering. */
export function Time({ at, ago = false, isExact = false }: TimeProps) {
  const date = new Date(at);
  const text = date.toLocaleString(undefined, {
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    ...(isExact && { fractionalSecondDigits: 3 }),
  });
  return (
    <time dateTime={at} title={`${date.toISOString()} (UTC)`}>
      {ago ? agoText(date.getTime(), now.value) : text}
    </time>
  );
}

export function Money({ minor, currency }: { readonly minor: string; readonly currency: string }) {
  return <span class="money">{moneyText(minor, currency)}</span>;
}

/** The whole id for reading out and copying; on the page its end, which tells neighbours apart. */
export function Id({ of, href }: { readonly of: string; readonly href?: string }) {
  const short = of.length > 22 ? `${of.slice(0, 12)}…${of.slice(-6)}` : of;
  if (href === undefined) return <code title={of}>{short}</code>;
  return (
    <a href={href} title={of}>
      <code>{short}</code>
    </a>
  );
}

export function Facts({
  rows,
}: {
  readonly rows: readonly (readonly [string, ComponentChildren])[];
}) {
  const shown = rows.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return (
    <dl class="facts">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return (
    <pre class="json" tabIndex={0} role="region" aria-label={label}>
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

export function Trouble({ problem }: { readonly problem: Problem }) {
  const { title, detail, code, type, correlationId, errors = [] } = problem;
  return (
    <div class="trouble" role="alert">
      <strong>{title}</strong>
      <p>{detail}</p>
      {errors.length === 0 ? null : (
        <ul>
          {errors.map((one) => (
            <li key={`${one.pointer ?? one.parameter ?? ''} ${one.detail}`}>
              <code>{one.pointer ?? one.parameter}</code> {one.detail}
            </li>
          ))}
        </ul>
      )}
      <p class="faint">
        {type === '' ? (
          <code>{code}</code>
        ) : (
          <a href={type} target="_blank" rel="noreferrer">
            <code>{code}</code> in the reference
          </a>
        )}
        {correlationId === undefined ? null : <> · correlation id {correlationId}</>}
      </p>
    </div>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

interface LoadedProps<T> {
  readonly from: Called<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** What was asked for; while it is not there, why. */
export function Loaded<T>({ from, children }: LoadedProps<T>) {
  const { data, problem } = from;
  return (
    <>
      {problem === undefined ? null : (
        <>
          <Trouble problem={problem} />
          <p>
            <button type="button" onClick={from.reload}>
              Try again
            </button>
          </p>
        </>
      )}
      {data === undefined && problem === undefined ? (
        <p class="loading" role="status">
          Loading…
        </p>
      ) : null}
      {data === undefined ? null : children(data)}
    </>
  );
}
