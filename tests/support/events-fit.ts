import type { Db } from 'mongodb';
import { expect } from 'vitest';
import { EVENTS, type EventSpec } from '../../core/events/catalog.ts';
import type { OutboxRow } from '../../core/events/outbox.ts';
import { collection } from '../../core/infra/collections.ts';

/** What waits to be told is in the catalogue, with the data that stands there; the names of it. */
export async function expectEventsFit(db: Db): Promise<ReadonlySet<string>> {
  const catalogue: Readonly<Record<string, EventSpec>> = EVENTS;
  const rows = await collection<OutboxRow>(db, 'outbox').find().toArray();
  const events = rows.flatMap(({ events: some }) => some);
  const misfits = events.filter(
    ({ name, data }) => catalogue[name]?.data.safeParse(data ?? {}).success !== true,
  );
  expect(misfits).toEqual([]);
  return new Set(events.map(({ name }) => name));
}
