import { z } from 'zod';
import { EVENTS, EVENT_NAMES, type EventSpec } from '../../core/events/catalog.ts';
import { eventSchema } from '../contract/timeline.ts';
import { type JsonSchema, createSchemaBook } from '../openapi/json-schema.ts';

/** Every event with the JSON Schema of what is told of it. */
export interface EventCatalogue {
  readonly $schema: string;
  readonly title: string;
  readonly events: readonly EventEntry[];
}

interface EventEntry {
  readonly name: string;
  readonly summary: string;
  readonly schema: JsonSchema;
}

export function eventCatalogue(): EventCatalogue {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Events of Sluice: what webhooks and streams bring',
    events: EVENT_NAMES.map((name) => entryOf(name, EVENTS_BY_NAME.get(name))),
  };
}

const EVENTS_BY_NAME: ReadonlyMap<string, EventSpec> = new Map(Object.entries(EVENTS));

function entryOf(name: string, spec: EventSpec | undefined): EventEntry {
  const { summary = '', data = z.record(z.string(), z.string()) } = spec ?? {};
  return { name, summary, schema: schemaOf(name, told(data)) };
}

/** What is recorded, and what delivery adds to it: names of currencies in full, and the like. */
function told(data: EventSpec['data']): z.ZodType {
  return data instanceof z.ZodObject ? z.object(data.shape).catchall(z.string()) : data;
}

function schemaOf(name: string, data: z.ZodType): JsonSchema {
  const book = createSchemaBook();
  const { shape } = eventSchema;
  const whole = z.strictObject({ ...shape, type: z.literal(name), data });
  const inlined = JSON.stringify(book.of(whole, 'output')).replaceAll(
    /\{"\$ref":"#\/components\/schemas\/(\w+)"\}/g,
    (_ref, id: string) => JSON.stringify(book.all()[id] ?? {}),
  );
  return JSON.parse(inlined) as JsonSchema; // what was just written
}

/** Markdown. */
export function eventsText({ events }: EventCatalogue): string {
  const parts = events.map(({ name, summary, schema }) =>
    [
      `## ${name}`,
      `${summary}.`,
      `\`\`\`json\n${JSON.stringify(schema, undefined, 2)}\n\`\`\``,
    ].join('\n\n'),
  );
  return [
    '# Events',
    'What [webhooks](/docs/webhooks) and [streams](/docs/streams) bring: one JSON document per event, ' +
      'with a schema each. As data: [/docs/events.json](/docs/events.json). Ignore members of `data` ' +
      'that you do not know: there may be more of them one day.',
    ...parts,
  ].join('\n\n');
}
