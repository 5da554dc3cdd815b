import { LIMITS } from '../../../config/limits.ts';
import type { Content, DeliveryDoc } from '../delivery/delivery.ts';
import { DIGEST_TEMPLATE } from '../routing/event-rules.ts';
import type { Channel, Messages } from '../ports.ts';
import {
  type Rendered,
  type TemplateData,
  type TemplateText,
  render,
} from '../templates/template.ts';
import type { WebhookEndpointDoc } from '../webhooks/webhook-endpoint.ts';

/** What a channel may use to make its message. */
export interface Materials {
  readonly delivery: DeliveryDoc;
  readonly now: Date;
  /** Of a webhook. */
  readonly endpoint?: WebhookEndpointDoc;
  /** Of the delivery's name; absent where the channel needs none. */
  readonly template?: TemplateText;
  /** Those of a digest's items, by name. */
  readonly itemTemplates?: ReadonlyMap<string, TemplateText>;
}

/** Longer than what the other side takes, or than what we make of a template. */
export const TOO_LONG = 'too-long';

/** One kind of message: a file under `channels/` and a line in `channels.ts`. */
export interface ChannelDefinition<C extends Channel> {
  readonly name: C;
  /** Whether its text comes from a template. */
  readonly hasTemplate: boolean;
  /** Pure. Undefined: there is nothing to say (no text). */
  message(materials: Materials): Messages[C] | typeof TOO_LONG | undefined;
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

/** The items' own texts, a line each, and how many there are beyond those. */
function digestData({ delivery, itemTemplates }: Materials): TemplateData {
  const { items = [], more = [] } = delivery;
  const lines: string[] = [];
  let chars = 0;
  for (const { name, data } of items) {
    const template = itemTemplates?.get(name);
    if (template === undefined) continue;
    const rendered = render({ text: template.text }, data, LIMITS.digestCharsMax - chars);
    if (rendered.isTooLong === true) break;
    chars += rendered.text.length;
    lines.push(`- ${rendered.text}`);
  }
  const count = items.length + more.length;
  const left = count - lines.length;
  const rest = left > 0 && lines.length > 0 ? [`… and ${left} more`] : [];
  return { count, more: left, lines: [...lines, ...rest].join('\n') };
}
