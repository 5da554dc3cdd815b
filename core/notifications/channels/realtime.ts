import { defineChannel, renderedOf } from '../channel.ts';

export const realtime = defineChannel({
  name: 'realtime',
  hasTemplate: true,
  message: (materials) => {
    const { delivery } = materials;
    const rendered = renderedOf(materials);
    return {
      tenantId: delivery.tenantId,
      ...(delivery.userId !== undefined && { userId: delivery.userId }),
      id: delivery._id,
      at: delivery.event.at,
      name: 'notification',
      data: {
        ...delivery.data,
        ...(rendered !== undefined && { title: rendered.subject, text: rendered.text }),
      },
    };
  },
});
