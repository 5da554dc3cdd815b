import { defineChannel, renderedOf } from '../channel.ts';

export const sms = defineChannel({
  name: 'sms',
  hasTemplate: true,
  message: (materials) => {
    const rendered = renderedOf(materials);
    if (rendered === undefined) return undefined;
    return { to: materials.delivery.address, text: rendered.text };
  },
});
