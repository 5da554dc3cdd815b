import { TOO_LONG, defineChannel, renderedOf } from './channel.ts';

export const email = defineChannel({
  name: 'email',
  hasTemplate: true,
  message: (materials) => {
    const rendered = renderedOf(materials);
    if (rendered === undefined) return undefined;
    if (rendered.isTooLong === true) return TOO_LONG;
    return { to: materials.delivery.address, ...rendered };
  },
});
