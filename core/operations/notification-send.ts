import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { ok, refuse } from '../kernel/result.ts';
import { defineOperation } from '../saga/define.ts';
import { contact, userId } from './inputs.ts';

const text = z.string().min(1).max(LIMITS.templateCharsMax);

const content = z
  .strictObject({
    subject: z.string().min(1).max(LIMITS.descriptionCharsMax).exactOptional(),
    text,
    html: text.exactOptional(),
  })
  .meta({ description: 'the text itself, as it is' });

const data = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/),
    z.union([z.string().max(LIMITS.descriptionCharsMax), z.number(), z.boolean()]),
  )
  .refine(
    (entries) => Object.keys(entries).length <= LIMITS.notificationDataMax,
    `must have at most ${LIMITS.notificationDataMax} entries`,
  )
  .meta({ description: 'what the template may show' });

const CHANNELS = ['email', 'sms', 'push', 'realtime'] as const;
const name = z.string().regex(/^[a-z][a-z0-9._-]{0,99}$/, 'must be a name such as invoice.due');

const input = z
  .strictObject({
    channels: z.array(z.enum(CHANNELS)).min(1).max(CHANNELS.length),
    userId: userId.exactOptional(),
    email: contact.email.exactOptional(),
    phone: contact.phone.exactOptional(),
    template: name.exactOptional(),
    content: content.exactOptional(),
    data: data.exactOptional(),
    category: name.exactOptional().meta({ description: 'what a user may opt out of' }),
    locale: contact.locale.exactOptional(),
  })
  .refine((sent) => (sent.template === undefined) !== (sent.content === undefined), {
    path: ['template'],
    message: 'name a template or give the content, one of the two',
  })
  .refine((sent) => [sent.userId, sent.email, sent.phone].some((one) => one !== undefined), {
    path: ['userId'],
    message: 'say to whom: userId, email or phone',
  });

/**
 * Asks for a message. The operation ends once the request is recorded; what becomes of it on each
 * channel stands in its deliveries. Its deadline is theirs as well.
 */
export const notificationSend = defineOperation({
  type: 'notification.send',
  version: 1,
  mode: 'stepwise',
  summary: 'Sends a message to a user or an address, on one channel or several',
  input,
  example: (name) => ({
    channels: ['realtime'],
    userId: name,
    content: { subject: 'Hello', text: 'Your invoice is due.' },
  }),
  ordering: (sent) => ({ user: sent.userId ?? sent.email ?? sent.phone ?? '' }),
  steps: [
    {
      name: 'request',
      kind: 'ledger',
      touches: (ctx) => (ctx.input.userId === undefined ? {} : { users: [ctx.input.userId] }),
      decide: (draft, ctx) => {
        const { userId: user } = ctx.input;
        if (user !== undefined && draft.user(user) === undefined) {
          return refuse('user_not_found', `User ${user} does not exist`);
        }
        draft.emit('notification.requested', user === undefined ? {} : { userId: user });
        return ok(undefined);
      },
      compensate: 'none-needed: it is the last step',
    },
  ],
});
