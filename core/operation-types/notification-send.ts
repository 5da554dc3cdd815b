import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { ok, refuse } from '../kernel/result.ts';
import {
  PUSH_DATA_BYTES_MAX,
  REALTIME_BYTES_MAX,
  SMS_CHARS_MAX,
  bytesOf,
  isReservedPushKey,
  pushDataOf,
  pushFits,
} from '../kernel/message-limits.ts';
import { defineOperation } from '../operations/define.ts';
import { contact, userId } from '../operations/inputs.ts';

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

interface Sent {
  readonly channels: readonly string[];
  readonly content?: { readonly subject?: string; readonly text: string };
  readonly data?: Readonly<Record<string, string | number | boolean>>;
}

interface Problem {
  readonly path: string[];
  readonly message: string;
}

/** What a channel would refuse for good is refused here, where somebody can put it right. */
function problemsOf(sent: Sent): readonly Problem[] {
  const { channels } = sent;
  return [
    ...(channels.includes('sms') ? smsProblems(sent) : []),
    ...(channels.includes('realtime') ? eventProblems(sent) : []),
    ...(channels.includes('push') ? pushProblems(sent) : []),
  ];
}

function smsProblems({ content }: Sent): readonly Problem[] {
  if ((content?.text.length ?? 0) <= SMS_CHARS_MAX) return [];
  const message = `must have at most ${SMS_CHARS_MAX} characters to go out as a text message`;
  return [{ path: TEXT, message }];
}

function eventProblems({ content, data: given = {} }: Sent): readonly Problem[] {
  if (bytesOf({ ...given, ...content }) <= REALTIME_BYTES_MAX) return [];
  const message = `must have at most ${REALTIME_BYTES_MAX} bytes with the data as an event`;
  return [{ path: content === undefined ? ['data'] : TEXT, message }];
}

function pushProblems({ content, data: given = {} }: Sent): readonly Problem[] {
  const pushed = pushDataOf(given);
  const problems = Object.keys(given)
    .filter(isReservedPushKey)
    .map((name) => ({
      path: ['data', name],
      message: 'is a name that push services keep for themselves: use another',
    }));
  const max = PUSH_DATA_BYTES_MAX - EVENT_BYTES;
  if (bytesOf(pushed) > max) {
    const message = `must have at most ${max} bytes as JSON to go out as a push`;
    return [...problems, { path: ['data'], message }];
  }
  if (content === undefined) return problems;
  const texts = { title: content.subject ?? '', body: content.text };
  if (pushFits(texts, { ...pushed, event: EVENT_ROOM })) return problems;
  const message = 'is too long for a push: with subject and data it has at most 3,900 bytes';
  return [...problems, { path: TEXT, message }];
}

const TEXT = ['content', 'text'];
/** The name of the event is added to the data. */
const EVENT_ROOM = 'notification.requested';
const EVENT_BYTES = 40;

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
  })
  .superRefine((sent, ctx) => {
    for (const { path, message } of problemsOf(sent)) {
      ctx.addIssue({ code: 'custom', path, message });
    }
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
