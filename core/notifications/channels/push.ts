import { TOO_LONG, defineChannel, renderedOf } from './channel.ts';
import { fittedPush, pushDataOf } from '../../kernel/message-limits.ts';

export const push = defineChannel({
  name: 'push',
  hasTemplate: true,
  message: (materials) => {
    const rendered = renderedOf(materials);
    const { pushTarget, data: given, event } = materials.delivery;
    if (rendered === undefined || pushTarget === undefined) return undefined;
    // The name of the event is ours to add, not to put in the place of what was sent.
    const data = { event: event.name, ...pushDataOf(given) };
    const texts = fittedPush({ title: rendered.subject, body: rendered.text }, data);
    return texts === undefined ? TOO_LONG : { target: pushTarget, ...texts, data };
  },
});
