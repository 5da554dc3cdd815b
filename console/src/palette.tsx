import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { ROUTES } from './pages/routes.tsx';
import { type Jump, jumpsOf } from './pure/jump.ts';
import { navigate } from './router.ts';
import { session, tenant, theme, views } from './state.ts';
import { Dialog } from './ui/dialog.tsx';

export const isPaletteOpen = signal(false);

interface Command {
  readonly label: string;
  readonly run: () => void;
}

const toCommand = ({ label, href }: Jump): Command => ({ label, run: () => navigate(href) });

function fixedCommands(): readonly Command[] {
  const pages = ROUTES.flatMap(({ name, path }) =>
    name === undefined ? [] : [toCommand({ label: name, href: `/admin${path}` })],
  );
  const others = (session.value?.tenants ?? []).filter(({ id }) => id !== tenant.value);
  return [
    ...pages,
    toCommand({ label: 'Queues (Bull Board)', href: '/admin/queues' }),
    ...views.value.map(({ name, href }) => toCommand({ label: `View: ${name}`, href })),
    ...others.map(({ id }) => ({
      label: `Tenant: ${id}`,
      run: () => {
        tenant.value = id;
      },
    })),
    ...(['auto', 'light', 'dark'] as const).map((one) => ({
      label: `Theme: ${one}`,
      run: () => {
        theme.value = one;
      },
    })),
  ];
}

const SHOWN_MAX = 12;

function commandsFor(text: string): readonly Command[] {
  const wanted = text.trim().toLowerCase();
  const fixed = fixedCommands().filter(({ label }) => label.toLowerCase().includes(wanted));
  const jumps = jumpsOf(text).map(toCommand);
  // An id leads somewhere; a word is first looked for among the pages.
  const isId = /_[0-9a-f]{32}/.test(text);
  return (isId ? [...jumps, ...fixed] : [...fixed, ...jumps]).slice(0, SHOWN_MAX);
}

/** Ctrl-K: pages by name, and whatever is pasted leads to where it is shown. */
export function Palette() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const commands = commandsFor(text);
  const chosen = Math.min(at, commands.length - 1);
  const close = (): void => {
    isPaletteOpen.value = false;
  };
  const run = (command: Command | undefined): void => {
    close();
    command?.run();
  };
  const onKey = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step !== undefined && commands.length > 0) {
      event.preventDefault();
      setAt((chosen + step + commands.length) % commands.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(commands[chosen]);
    }
  };
  return (
    <Dialog title="Search and commands" class="palette" onClose={close}>
      <input
        role="combobox"
        aria-label="Search"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={commands.length === 0 ? undefined : `command-${String(chosen)}`}
        placeholder="Page, operation, wallet, user, key…"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ul id="commands" role="listbox" aria-label="Where it leads">
        {commands.map((command, index) => (
          <li
            key={command.label}
            id={`command-${String(index)}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => run(command)}
          >
            {command.label}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

export function startPalette(): void {
  addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    isPaletteOpen.value = !isPaletteOpen.value;
  });
}
