import type { z } from 'zod';
import { EVENTS, EVENT_NAMES, type EventSpec, TEST_EVENT } from '../../core/events/catalog.ts';
import { code, heading, table } from './markdown.ts';

export function eventsPage(): string {
  const catalogue: Readonly<Record<string, EventSpec>> = EVENTS;
  const intro =
    'One row of `core/events/catalog.ts` each. Filters of webhook endpoints and of streams name them\n' +
    'one by one, by group (`transfer.*`) or all together (`*`). Amounts are minor units; webhooks add\n' +
    '`amountText` for people, and what the ledger knows of a transfer or a hold.';
  const rows = EVENT_NAMES.map((name) => [
    code(name),
    catalogue[name]?.summary ?? '',
    fieldsOf(catalogue[name]).map(code).join(', '),
  ]);
  const test = `${code(TEST_EVENT)} is sent on request to one endpoint alone.`;
  return `${heading('Events', intro)}\n${table(['Event', 'What has happened', 'Data'], rows)}\n${test}\n`;
}

function fieldsOf(spec: EventSpec | undefined): readonly string[] {
  const shape: unknown = spec === undefined ? {} : Reflect.get(spec.data, 'shape');
  return Object.entries(shape ?? {}).map(([field, type]) => {
    const { optin } = (type as z.ZodType)._zod;
    return optin === 'optional' ? `${field}?` : field;
  });
}
