import { useState } from 'preact/hooks';
import { path, query } from '../router.ts';
import { type View, forgetView, saveView, views } from '../state.ts';
import { Dialog } from './dialog.tsx';
import { Field } from './form.tsx';

const NAME_CHARS_MAX = 60;

interface NamingProps {
  readonly href: string;
  readonly onClose: () => void;
}

function Naming({ href, onClose }: NamingProps) {
  const [name, setName] = useState('');
  const save = (event: Event): void => {
    event.preventDefault();
    saveView({ name: name.trim(), href });
    onClose();
  };
  return (
    <Dialog title="Save this view" onClose={onClose}>
      <form onSubmit={save}>
        <h2>Save this view</h2>
        <Field label="Name">
          <input
            value={name}
            maxLength={NAME_CHARS_MAX}
            required
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="main" disabled={name.trim() === ''}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Chip({ view, isHere }: { readonly view: View; readonly isHere: boolean }) {
  return (
    <span class="chip">
      <a href={view.href} aria-current={isHere ? 'true' : undefined}>
        {view.name}
      </a>
      <button
        type="button"
        class="bare"
        aria-label={`Forget the view ${view.name}`}
        onClick={() => forgetView(view.name)}
      >
        ×
      </button>
    </span>
  );
}

/** Filters that are used again and again, by name. They stay in this browser. */
export function Views({ of }: { readonly of: string }) {
  const [isNaming, setNaming] = useState(false);
  const text = query.value.toString();
  const here = text === '' ? path.value : `${path.value}?${text}`;
  const own = views.value.filter(({ href }) => href === of || href.startsWith(`${of}?`));
  if (own.length === 0 && text === '') return null;
  return (
    <div class="views" role="group" aria-label="Saved views">
      {own.map((view) => (
        <Chip key={view.name} view={view} isHere={view.href === here} />
      ))}
      {text === '' ? null : (
        <>
          <button type="button" class="small" onClick={() => setNaming(true)}>
            Save this view
          </button>
          <a class="small" href={of}>
            Clear filters
          </a>
        </>
      )}
      {isNaming ? <Naming href={here} onClose={() => setNaming(false)} /> : null}
    </div>
  );
}
