import type { Content, DeliveryDoc } from './delivery.ts';
import { DIGEST_TEMPLATE } from './event-rules.ts';
import type { Channel, Messages } from './ports.ts';
import { type Rendered, type TemplateData, type TemplateText, render } from './template.ts';
import type { EndpointDoc } from './webhook-endpoint.ts';

/** What a channel may use to make its message. */
export interface Materials {
  readonly delivery: DeliveryDoc;
  readonly now: Date;
  /** Of a webhook. */
  readonly endpoint?: EndpointDoc;
  /** Of the delivery's name; absent where the channel needs none. */
  readonly template?: TemplateText;
  /** Those of a digest's items, by name. */
  readonly itemTemplates?: ReadonlyMap<string, TemplateText>;
}

/** One kind of message: a file under `channels/` and a line in `channels.ts`. */
export interface ChannelDefinition<C extends Channel> {
  readonly name: C;
  /** Whether its text comes from a template. */
  readonly hasTemplate: boolean;
  /** Pure. Undefined: there is nothing to say (no text). */
  message(materials: Materials): Messages[C] | undefined;
}

export function defineChannel<C extends Channel>(
  definition: ChannelDefinition<C>,
): ChannelDefinition<C> {
  return Object.freeze(definition);
}

/** The text of a delivery: as it was given, or its template with its data. Pure. */
export function renderedOf(materials: Materials): Rendered | undefined {
  const { delivery, template } = materials;
  const source: Content | TemplateText | undefined = delivery.content ?? template;
  if (source === undefined) return undefined;
  const data = delivery.template === DIGEST_TEMPLATE ? digestData(materials) : delivery.data;
  // What was given as text is not a template: braces in it stay as they are.
  return delivery.content === undefined ? render(source, data) : asGiven(source);
}

function asGiven({ subject = '', text, html }: TemplateText): Rendered {
  const { subject: line } = render({ subject: '{{line}}', text: '' }, { line: subject });
  return { subject: line, text, ...(html !== undefined && { html }) };
}

/** The items' own texts, a line each. */
function digestData({ delivery, itemTemplates }: Materials): TemplateData {
  const { items = [] } = delivery;
  const lines = items.flatMap(({ name, data }) => {
    const template = itemTemplates?.get(name);
    return template === undefined ? [] : [`- ${render({ text: template.text }, data).text}`];
  });
  return { count: items.length, lines: lines.join('\n') };
}
