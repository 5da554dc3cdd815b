import { computed, signal } from '@preact/signals';
import { tenant } from './state.ts';

/** Where we are: the address of the browser, without a reload. */
const address = signal(`${location.pathname}${location.search}`);

export const path = computed(() => new URL(address.value, location.origin).pathname);
export const query = computed(() => new URL(address.value, location.origin).searchParams);

/** Pages of ours. The board, sign-in and files are the server's. */
function isOurs(url: URL): boolean {
  const theirs = /^\/admin\/(queues|login|logout|session|assets)(\/|$)/;
  const isUnder = url.pathname === '/admin' || url.pathname.startsWith('/admin/');
  return url.origin === location.origin && isUnder && !theirs.test(url.pathname);
}

export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  const url = new URL(to, location.href);
  if (!isOurs(url)) {
    location.assign(url);
    return;
  }
  const isElsewhere = url.pathname !== location.pathname;
  if (how === 'push') history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  arrive();
  if (isElsewhere) scrollTo(0, 0);
}

/** Changes the query of this page; an empty value takes the parameter away. */
export function setQuery(change: Readonly<Record<string, string>>): void {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(change)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(text === '' ? path.value : `${path.value}?${text}`);
}

/** An address may name its tenant, as links of the board do. */
function arrive(): void {
  const url = new URL(location.href);
  const named = url.searchParams.get('tenant');
  if (named !== null && named !== '') {
    tenant.value = named;
    url.searchParams.delete('tenant');
    history.replaceState(null, '', url);
  }
  address.value = `${url.pathname}${url.search}`;
}

function followLink(event: MouseEvent): void {
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey);
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!isPlain || event.defaultPrevented || link === null || link.target !== '') return;
  const url = new URL(link.href, location.href);
  if (!isOurs(url)) return;
  event.preventDefault();
  navigate(url.href);
}

export function startRouter(): void {
  addEventListener('popstate', arrive);
  document.addEventListener('click', followLink);
  arrive();
}
