import { useEffect, useState } from 'preact/hooks';
import { call, newKey, problemOf } from '../api.ts';
import { summaryOf } from '../state.ts';
import type { Problem } from '../types.ts';
import { Dialog } from './dialog.tsx';
import { Facts, Trouble } from './parts.tsx';

interface ReplayProps {
  readonly filter: Readonly<Record<string, string>>;
  readonly onClose: () => void;
}

type Result = Readonly<Record<string, unknown>>;

/** Counts first, with the very filter that would then send; a repeat of the second sends nothing twice. */
export function Replay({ filter, onClose }: ReplayProps) {
  const [key] = useState(newKey);
  const [counted, setCounted] = useState<Result>();
  const [sent, setSent] = useState<Result>();
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const ask = async (dryRun: boolean): Promise<Result> =>
    call('/v1/deliveries/replay', {
      method: 'POST',
      body: { filter, dryRun },
      ...(!dryRun && { key }),
    });
  useEffect(() => {
    ask(true).then(setCounted, (error: unknown) => setProblem(problemOf(error)));
  }, []);
  const send = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    ask(false)
      .then(setSent, (error: unknown) => setProblem(problemOf(error)))
      .finally(() => setBusy(false))
      .catch((error: unknown) => setProblem(problemOf(error)));
  };
  return (
    <Dialog title="Send deliveries again" onClose={onClose}>
      <form onSubmit={send}>
        <h2>Send deliveries again</h2>
        <p class="faint">{summaryOf('POST /v1/deliveries/replay').replaceAll('`', '')}</p>
        <Facts rows={Object.entries(filter)} />
        {problem === undefined ? null : <Trouble problem={problem} />}
        <Progress counted={counted} sent={sent} isOver={problem !== undefined} />
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {sent === undefined ? 'Do nothing' : 'Close'}
          </button>
          {sent === undefined && problem === undefined ? (
            <button class="grave" disabled={isBusy || (counted?.['matched'] ?? 0) === 0}>
              {isBusy ? 'Working…' : 'Send them again'}
            </button>
          ) : null}
        </div>
      </form>
    </Dialog>
  );
}

interface ProgressProps {
  readonly counted: Result | undefined;
  readonly sent: Result | undefined;
  readonly isOver: boolean;
}

function Progress({ counted, sent, isOver }: ProgressProps) {
  if (sent !== undefined) return <Counts title="Done" of={sent} />;
  if (counted !== undefined) return <Counts title="Counted" of={counted} />;
  return isOver ? null : <p class="loading">Counting…</p>;
}

function Counts({ title, of }: { readonly title: string; readonly of: Result }) {
  const numbers = Object.entries(of).filter(([, value]) => typeof value === 'number');
  return (
    <div role="status">
      <strong>{title}</strong>
      <Facts rows={numbers.map(([name, value]) => [name, Number(value).toLocaleString('en')])} />
      {typeof of['nextCursor'] === 'string' ? <p>There are more: ask again for the next.</p> : null}
    </div>
  );
}
