import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api.ts';
import { summaryOf, words } from '../state.ts';
import type { Operation } from '../types.ts';
import { Confirm } from './dialog.tsx';
import { Choice, Field } from './form.tsx';

interface ActionsProps {
  readonly operation: Operation;
  readonly onDone: () => void;
}

type Action = 'retry' | 'resolve' | 'cancel' | 'signal';

/** What its status leaves open; whether it is possible after all is for the API to say. */
function actionsOn({ status, waitingFor }: Operation): readonly Action[] {
  if (status === 'needs_attention') return ['retry', 'resolve'];
  const isOpen = words.value?.openStatuses.includes(status) === true;
  if (!isOpen || status === 'compensating') return [];
  return waitingFor === undefined ? ['cancel'] : ['signal', 'cancel'];
}

const ROUTES: Readonly<Record<Action, string>> = {
  retry: 'POST /v1/operations/:id/retry',
  resolve: 'POST /v1/operations/:id/resolve',
  cancel: 'POST /v1/operations/:id/cancel',
  signal: 'POST /v1/operations/:id/signals/:name',
};

const NAMES: Readonly<Record<Action, string>> = {
  retry: 'Retry',
  resolve: 'Resolve',
  cancel: 'Cancel it',
  signal: 'Send signal',
};

export function OperationActions({ operation, onDone }: ActionsProps) {
  const [open, setOpen] = useState<Action>();
  const close = (): void => setOpen(undefined);
  const props = { operation, onClose: close, onDone };
  return (
    <>
      {actionsOn(operation).map((action) => (
        <button key={action} type="button" onClick={() => setOpen(action)}>
          {NAMES[action]}
        </button>
      ))}
      {open === 'retry' ? <Retry {...props} /> : null}
      {open === 'resolve' ? <Resolve {...props} /> : null}
      {open === 'cancel' ? <Cancel {...props} /> : null}
      {open === 'signal' ? <Signal {...props} /> : null}
    </>
  );
}

interface OneProps extends ActionsProps {
  readonly onClose: () => void;
}

interface AskProps extends OneProps {
  readonly action: Action;
  readonly body?: unknown;
  readonly path?: string;
  readonly isReady?: boolean;
  readonly isGrave?: boolean;
  readonly children?: ComponentChildren;
}

function Ask({ operation, action, body, path = action, onDone, ...rest }: AskProps) {
  const at = `/v1/operations/${operation.id}/${path}`;
  const act = async (): Promise<void> => {
    await call(at, { method: 'POST', ...(body !== undefined && { body }) });
    onDone();
  };
  return (
    <Confirm
      title={`${NAMES[action]}: ${operation.type}`}
      says={summaryOf(ROUTES[action])}
      verb={NAMES[action]}
      act={act}
      {...rest}
    />
  );
}

interface NoteProps {
  readonly value: string;
  readonly onInput: (text: string) => void;
}

function Note({ value, onInput }: NoteProps) {
  return (
    <Field label="Why (stands in the audit and the timeline)">
      <textarea
        required
        rows={3}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </Field>
  );
}

function Retry(props: OneProps) {
  const [note, setNote] = useState('');
  const [assume, setAssume] = useState('');
  const [direction, setDirection] = useState('');
  const body = {
    note,
    ...(assume !== '' && { assume }),
    ...(direction !== '' && { direction }),
  };
  const { steps = [] } = props.operation;
  const isUnsure = steps.some(({ status }) => status === 'unsure' || status === 'started');
  return (
    <Ask {...props} action="retry" body={body} isReady={note.trim() !== ''}>
      {steps.length === 0 ? null : (
        <Choice
          label="Direction"
          value={direction}
          any="as it stood"
          of={['forward', 'back']}
          onPick={setDirection}
        />
      )}
      {isUnsure ? (
        <Choice
          label="The step whose outcome is unknown was"
          value={assume}
          any="not known: ask again"
          of={['applied', 'absent']}
          onPick={setAssume}
        />
      ) : null}
      <Note value={note} onInput={setNote} />
    </Ask>
  );
}

function Resolve(props: OneProps) {
  const [note, setNote] = useState('');
  const [status, setStatus] = useState('');
  const isReady = note.trim() !== '' && status !== '';
  return (
    <Ask {...props} action="resolve" body={{ note, status }} isReady={isReady} isGrave>
      <Choice
        label="What it has come to"
        value={status}
        any="choose…"
        of={words.value?.resolvedStatuses ?? []}
        onPick={setStatus}
      />
      <Note value={note} onInput={setNote} />
    </Ask>
  );
}

function Cancel(props: OneProps) {
  return <Ask {...props} action="cancel" isGrave />;
}

function Signal(props: OneProps) {
  const [text, setText] = useState('{}');
  const data = parsed(text);
  const { signal = '' } = props.operation.waitingFor ?? {};
  const path = `signals/${encodeURIComponent(signal)}`;
  return (
    <Ask {...props} action="signal" path={path} body={data} isReady={data !== undefined}>
      <p>
        It waits for <code>{signal}</code>.
      </p>
      <Field label="Data (JSON that its type knows)">
        <textarea
          rows={5}
          class="mono"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </Field>
      {data === undefined ? <p class="bad-text">This is not JSON yet.</p> : null}
    </Ask>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
