import { CHANNEL_DEFINITIONS } from '../channels/registry.ts';
import { type Materials, TOO_LONG } from '../channels/channel.ts';
import type { DeliveryDoc } from './delivery.ts';
import type { Reason } from './delivery-write.ts';
import { DIGEST_TEMPLATE } from '../routing/event-rules.ts';
import type { DeliverySnapshot } from './next-step.ts';
import type { Channel, Messages } from '../ports.ts';
import type { TemplateText } from '../templates/template.ts';
import type { Templates } from '../templates/template-cache.ts';

/** Why there is no message. */
type Unfit = 'template_missing' | 'too_long' | 'no_provider';

export const REFUSALS: Readonly<Record<Unfit, (delivery: DeliveryDoc) => Reason>> = {
  template_missing: ({ template, channel }) => ({
    code: 'template_missing',
    detail: `There is no template ${template} for ${channel}`,
  }),
  too_long: ({ channel }) => ({
    code: 'too_long',
    detail: `It would be longer than a message on ${channel} may be`,
  }),
  no_provider: ({ channel }) => ({
    code: 'no_provider',
    detail: `No provider of ${channel} takes this message`,
  }),
};

export async function messageOf<C extends Channel>(
  { templates }: { readonly templates: Templates },
  snapshot: DeliverySnapshot,
  channel: C,
): Promise<Messages[C] | 'template_missing' | 'too_long'> {
  const message = CHANNEL_DEFINITIONS[channel].message(await materialsOf(templates, snapshot));
  if (message === undefined) return 'template_missing';
  return message === TOO_LONG ? 'too_long' : message;
}

async function materialsOf(templates: Templates, snapshot: DeliverySnapshot): Promise<Materials> {
  const { delivery, now, endpoint } = snapshot;
  const find = (name: string): Promise<TemplateText | undefined> =>
    templates.find({
      tenantId: delivery.tenantId,
      name,
      channel: delivery.channel,
      ...(delivery.locale !== undefined && { locale: delivery.locale }),
    });
  const isGiven =
    delivery.content !== undefined || !CHANNEL_DEFINITIONS[delivery.channel].hasTemplate;
  const template = isGiven ? undefined : await find(delivery.template);
  const shared = {
    delivery,
    now,
    ...(endpoint !== undefined && { endpoint }),
    ...(template !== undefined && { template }),
  };
  if (delivery.template !== DIGEST_TEMPLATE) return shared;
  const names = [...new Set((delivery.items ?? []).map(({ name }) => name))];
  const found = await Promise.all(names.map(async (name) => [name, await find(name)] as const));
  const known = found.flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  );
  return { ...shared, itemTemplates: new Map(known) };
}
