import { useEffect, useState } from 'preact/hooks';
import { call, problemOf } from './api.ts';
import { metrics } from './live.ts';
import { ROUTES, routeOf } from './pages/routes.tsx';
import { Palette, isPaletteOpen } from './palette.tsx';
import { path } from './router.ts';
import { THEMES, type Theme, session, tenant, theme } from './state.ts';
import type { Problem, Session } from './types.ts';
import { Dialog } from './ui/dialog.tsx';
import { Page, Trouble } from './ui/parts.tsx';

function Navigation({ onGo }: { readonly onGo: () => void }) {
  const here = path.value.replace(/\/$/, '');
  const waiting = metrics.value.kind === 'known' ? (metrics.value.value.needsAttention ?? 0) : 0;
  return (
    <nav aria-label="Pages" onClick={onGo}>
      <ul>
        {ROUTES.map((route) => {
          if (route.name === undefined) return null;
          const href = `/admin${route.path}`;
          const isHere = here === href || (route.path !== '' && here.startsWith(`${href}/`));
          return (
            <li key={href}>
              <a href={href} aria-current={isHere ? 'page' : undefined}>
                {route.name}
                {route.path === '/attention' && waiting > 0 ? (
                  <span class="count bad">{waiting.toLocaleString('en')}</span>
                ) : null}
              </a>
            </li>
          );
        })}
        <li>
          <a href="/admin/queues">Queues ↗</a>
        </li>
      </ul>
    </nav>
  );
}

function TenantSwitcher() {
  const [isNaming, setNaming] = useState(false);
  const known = session.value?.tenants.map(({ id }) => id) ?? [];
  const all = known.includes(tenant.value) ? known : [tenant.value, ...known];
  const name = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const id = form instanceof HTMLFormElement ? new FormData(form).get('tenant') : null;
    if (typeof id === 'string' && id.trim() !== '') tenant.value = id.trim();
    setNaming(false);
  };
  return (
    <>
      <label class="inline">
        <span>Tenant</span>
        <select
          value={tenant.value}
          onChange={(event) => {
            const { value } = event.currentTarget;
            if (value === '') setNaming(true);
            else tenant.value = value;
          }}
        >
          {all.map((id) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
          {session.value?.hasMoreTenants === true ? <option value="">another…</option> : null}
        </select>
      </label>
      {isNaming ? (
        <Dialog title="Another tenant" onClose={() => setNaming(false)}>
          <form onSubmit={name}>
            <h2>Another tenant</h2>
            <label class="field">
              <span>Tenant id</span>
              <input name="tenant" required autocomplete="off" />
            </label>
            <div class="buttons">
              <button class="main">Show</button>
            </div>
          </form>
        </Dialog>
      ) : null}
    </>
  );
}

function ThemeSwitch() {
  return (
    <label class="inline">
      <span>Theme</span>
      <select
        value={theme.value}
        onChange={(event) => {
          const picked: Theme | undefined = THEMES.find((one) => one === event.currentTarget.value);
          theme.value = picked ?? 'auto';
        }}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function Header({ isOpen, onMenu }: { readonly isOpen: boolean; readonly onMenu: () => void }) {
  return (
    <header>
      <button
        type="button"
        class="menu"
        aria-expanded={isOpen}
        aria-controls="side"
        onClick={onMenu}
      >
        Menu
      </button>
      <a class="brand" href="/admin">
        Sluice
      </a>
      <button
        type="button"
        class="search"
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => {
          isPaletteOpen.value = true;
        }}
      >
        <span>Search</span> <kbd>Ctrl K</kbd>
      </button>
      <TenantSwitcher />
    </header>
  );
}

function Side({ isOpen, onGo }: { readonly isOpen: boolean; readonly onGo: () => void }) {
  return (
    <div id="side" class={isOpen ? 'open' : ''}>
      <Navigation onGo={onGo} />
      <div class="side-foot">
        <ThemeSwitch />
        <form method="post" action="/admin/logout">
          <input type="hidden" name="token" value={session.value?.formToken ?? ''} />
          <button class="bare">Sign out {session.value?.operator}</button>
        </form>
      </div>
    </div>
  );
}

function Here() {
  const found = routeOf(path.value);
  // Another page of the same kind is another page: it begins anew.
  if (found !== undefined) {
    return (
      <div key={`${found.route.path} ${found.id} ${tenant.value}`}>
        {found.route.show(found.id)}
      </div>
    );
  }
  return (
    <Page title="There is no such page">
      <p>
        Nothing is shown at <code>{path.value}</code>. <a href="/admin">The overview</a> is there.
      </p>
    </Page>
  );
}

/** Who has signed in, then the pages. */
export function App() {
  const [problem, setProblem] = useState<Problem>();
  const [isMenuOpen, setMenuOpen] = useState(false);
  useEffect(() => {
    call<Session>('/admin/session').then(
      (found) => {
        session.value = found;
      },
      (error: unknown) => setProblem(problemOf(error)),
    );
  }, []);
  if (problem !== undefined) {
    return (
      <main>
        <Page title="The console cannot start">
          <Trouble problem={problem} />
        </Page>
      </main>
    );
  }
  if (session.value === undefined) return <p class="loading">Loading…</p>;
  return (
    <>
      <a class="skip" href="#main">
        To the content
      </a>
      <Header isOpen={isMenuOpen} onMenu={() => setMenuOpen(!isMenuOpen)} />
      <div class="frame">
        <Side isOpen={isMenuOpen} onGo={() => setMenuOpen(false)} />
        <main id="main">
          <Here />
        </main>
      </div>
      {isPaletteOpen.value ? <Palette /> : null}
    </>
  );
}
