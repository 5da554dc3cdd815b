import type { ComponentChildren } from 'preact';
import { Attention } from './attention.tsx';
import { Deliveries, Delivery } from './deliveries.tsx';
import { Rules, Suppressions, Templates } from './messages.tsx';
import { Operation } from './operation.tsx';
import { Operations } from './operations.tsx';
import { Overview } from './overview.tsx';
import { User, Users } from './users.tsx';
import { Wallet } from './wallet.tsx';
import { Webhook, Webhooks } from './webhooks.tsx';

interface Route {
  /** Below `/admin`; an `:id` is whatever stands there. */
  readonly path: string;
  readonly show: (id: string) => ComponentChildren;
  /** Its name in the navigation; without one it is reached by links. */
  readonly name?: string;
}

/** Every page, one line each, in the order of the navigation. */
export const ROUTES: readonly Route[] = [
  { path: '', name: 'Overview', show: () => <Overview /> },
  { path: '/attention', name: 'Needs attention', show: () => <Attention /> },
  { path: '/operations', name: 'Operations', show: () => <Operations /> },
  { path: '/operations/:id', show: (id) => <Operation id={id} /> },
  { path: '/users', name: 'Users', show: () => <Users /> },
  { path: '/users/:id', show: (id) => <User id={id} /> },
  { path: '/wallets/:id', show: (id) => <Wallet id={id} /> },
  { path: '/deliveries', name: 'Deliveries', show: () => <Deliveries /> },
  { path: '/deliveries/:id', show: (id) => <Delivery id={id} /> },
  { path: '/webhooks', name: 'Webhooks', show: () => <Webhooks /> },
  { path: '/webhooks/:id', show: (id) => <Webhook id={id} /> },
  { path: '/templates', name: 'Templates', show: () => <Templates /> },
  { path: '/rules', name: 'Rules', show: () => <Rules /> },
  { path: '/suppressions', name: 'Suppressions', show: () => <Suppressions /> },
];

interface Found {
  readonly route: Route;
  readonly id: string;
}

export function routeOf(path: string): Found | undefined {
  const parts = path
    .replace(/^\/admin/, '')
    .replace(/\/$/, '')
    .split('/');
  for (const route of ROUTES) {
    const wanted = route.path.split('/');
    const isIt =
      wanted.length === parts.length &&
      !wanted.some((part, index) => part !== ':id' && part !== parts[index]);
    if (isIt) return { route, id: decoded(parts[wanted.indexOf(':id')] ?? '') };
  }
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
