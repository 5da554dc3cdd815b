import { computed, effect, signal } from '@preact/signals';
import type { Session } from './types.ts';

/** What all pages share. Kept in this browser: tenant, theme, saved views; nothing of anybody. */
export const session = signal<Session | undefined>(undefined);

const TENANT = 'sluice.tenant';
const THEME = 'sluice.theme';
const VIEWS = 'sluice.views';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** A browser may refuse to store; then nothing is kept. */
function read(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Full, or not allowed: it holds until the page is closed.
  }
}

export const tenant = signal(read(TENANT) ?? 'default');
export const theme = signal<Theme>(THEMES.find((one) => one === read(THEME)) ?? 'auto');

const darkness = matchMedia('(prefers-color-scheme: dark)');
const prefersDark = signal(darkness.matches);

/** What is drawn by hand has to be drawn anew when it changes. */
export const isDark = computed(() =>
  theme.value === 'auto' ? prefersDark.value : theme.value === 'dark',
);

/** A list with its filters, by a name. */
export interface View {
  readonly name: string;
  readonly href: string;
}

const VIEWS_MAX = 50;

function readViews(): readonly View[] {
  try {
    const found: unknown = JSON.parse(read(VIEWS) ?? '[]');
    return Array.isArray(found) ? found.filter(isView).slice(0, VIEWS_MAX) : [];
  } catch {
    return [];
  }
}

function isView(value: unknown): value is View {
  if (typeof value !== 'object' || value === null) return false;
  const { name, href } = value as Partial<View>; // its members are looked at next
  return typeof name === 'string' && typeof href === 'string' && href.startsWith('/admin/');
}

export const views = signal(readViews());

export function saveView(view: View): void {
  const others = views.value.filter(({ name }) => name !== view.name);
  views.value = [...others, view].slice(-VIEWS_MAX);
}

export function forgetView(name: string): void {
  views.value = views.value.filter((view) => view.name !== name);
}

/** By the second: what shows how long ago something was, and no more. */
export const now = signal(Date.now());

export const words = computed(() => session.value?.words);

/** What a button does, in the words of the reference. */
export function summaryOf(endpoint: string): string {
  return session.value?.endpoints[endpoint] ?? '';
}

export function startState(): void {
  effect(() => write(TENANT, tenant.value));
  effect(() => write(VIEWS, JSON.stringify(views.value)));
  effect(() => {
    write(THEME, theme.value);
    if (theme.value === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme.value;
  });
  darkness.addEventListener('change', ({ matches }) => {
    prefersDark.value = matches;
  });
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1_000);
}
