import { TOO_LONG, defineChannel, renderedOf } from './channel.ts';
import { SMS_CHARS_MAX } from '../../kernel/message-limits.ts';

export const sms = defineChannel({
  name: 'sms',
  hasTemplate: true,
  message: (materials) => {
    const rendered = renderedOf(materials);
    if (rendered === undefined) return undefined;
    if (rendered.isTooLong === true || rendered.text.length > SMS_CHARS_MAX) return TOO_LONG;
    return { to: materials.delivery.address, text: rendered.text };
  },
});
