import type { Json } from '../../kernel/canonical.ts';
import { defineChannel, renderedOf } from '../channel.ts';

export const push = defineChannel({
  name: 'push',
  hasTemplate: true,
  message: (materials) => {
    const rendered = renderedOf(materials);
    const { pushTarget, data, event } = materials.delivery;
    if (rendered === undefined || pushTarget === undefined) return undefined;
    return {
      target: pushTarget,
      title: rendered.subject,
      body: rendered.text,
      data: { ...textsOf(data), event: event.name },
    };
  },
});

/** Push services carry strings only. */
function textsOf(data: Readonly<Record<string, Json>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
