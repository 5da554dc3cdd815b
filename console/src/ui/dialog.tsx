import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { newKey, problemOf } from '../api.ts';
import type { Problem } from '../types.ts';
import { Trouble } from './parts.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly class?: string;
}

/** The browser's own: it keeps the focus inside, Escape closes it, and the focus goes back. */
export function Dialog({ title, onClose, children, ...rest }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class={rest.class ?? ''} aria-label={title} onClose={onClose}>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  /** What it does, in the words of the API. */
  readonly says: string;
  readonly verb: string;
  readonly isGrave?: boolean;
  /** False: what is filled in so far is not enough. */
  readonly isReady?: boolean;
  readonly children?: ComponentChildren;
  readonly act: () => Promise<void>;
  readonly onClose: () => void;
}

/** Nothing is done to money by one click: what it does, what is needed, and whether it is meant. */
export function Confirm(props: ConfirmProps) {
  const { title, says, verb, isGrave = false, isReady = true, children, act, onClose } = props;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    act().then(onClose, (error: unknown) => {
      setBusy(false);
      setProblem(problemOf(error));
    });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <h2>{title}</h2>
        {says === '' ? null : <p class="faint">{says.replaceAll('`', '')}</p>}
        {children}
        {problem === undefined ? null : <Trouble problem={problem} />}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Do nothing
          </button>
          <button class={isGrave ? 'grave' : 'main'} disabled={isBusy || !isReady}>
            {isBusy ? 'Working…' : verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface ActProps extends Omit<ConfirmProps, 'verb' | 'act' | 'onClose'> {
  readonly name: string;
  /** Gets the key of this time: a repeat within the dialog changes nothing. */
  readonly act: (key: string) => Promise<void>;
}

/** A button that asks before it acts. */
export function Act({ name, act, ...rest }: ActProps) {
  const [key, setKey] = useState<string>();
  return (
    <>
      <button type="button" onClick={() => setKey(newKey())}>
        {name}
      </button>
      {key === undefined ? null : (
        <Confirm {...rest} verb={name} act={() => act(key)} onClose={() => setKey(undefined)} />
      )}
    </>
  );
}
