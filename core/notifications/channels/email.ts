import { defineChannel, renderedOf } from '../channel.ts';

export const email = defineChannel({
  name: 'email',
  hasTemplate: true,
  message: (materials) => {
    const rendered = renderedOf(materials);
    if (rendered === undefined) return undefined;
    return { to: materials.delivery.address, ...rendered };
  },
});
