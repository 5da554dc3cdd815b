import { TOO_LONG, defineChannel, renderedOf } from './channel.ts';
import { REALTIME_BYTES_MAX, bytesOf } from '../../kernel/message-limits.ts';

export const realtime = defineChannel({
  name: 'realtime',
  hasTemplate: true,
  message: (materials) => {
    const { delivery } = materials;
    const rendered = renderedOf(materials);
    const data = {
      ...delivery.data,
      ...(rendered !== undefined && { title: rendered.subject, text: rendered.text }),
    };
    if (rendered?.isTooLong === true || bytesOf(data) > REALTIME_BYTES_MAX) return TOO_LONG;
    return {
      tenantId: delivery.tenantId,
      ...(delivery.userId !== undefined && { userId: delivery.userId }),
      id: delivery._id,
      at: delivery.event.at,
      name: 'notification',
      data,
    };
  },
});
