import { z } from 'zod';
import { LIMITS } from '../../../config/limits.ts';
import { SMS_CHARS_MAX } from '../../../core/kernel/message-limits.ts';
import { CHANNELS } from '../../../core/notifications/ports.ts';
import { templateProblems } from '../../../core/notifications/templates/template.ts';

const text = z.string().min(1).max(LIMITS.templateCharsMax);

const fields = {
  subject: z.string().max(LIMITS.descriptionCharsMax).exactOptional(),
  text,
  html: text.exactOptional(),
};

/** Which text it is. */
const key = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9._-]{0,99}$/, 'must be a name such as transfer.settled.sent'),
  channel: z.enum(CHANNELS).exclude(['webhook']),
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a BCP 47 tag, such as en-GB'),
};

const isSound = (template: { subject?: string; text: string; html?: string }): boolean =>
  templateProblems(template).length === 0;
const bracesText = 'has braces that are no {{variable}}';

const templateText = z.strictObject(fields).refine(isSound, bracesText);

export const newTemplate = z
  .strictObject({ ...key, ...fields })
  .refine(isSound, bracesText)
  .refine((added) => added.channel !== 'sms' || added.text.length <= SMS_CHARS_MAX, {
    path: ['text'],
    message: `must have at most ${SMS_CHARS_MAX} characters: a text message is no longer`,
  });

const data = z.record(
  z.string().max(64),
  z.union([z.string().max(LIMITS.descriptionCharsMax), z.number(), z.boolean()]),
);

/** A text that is not stored yet, or the one that would be used. */
export const preview = z.union([
  z.strictObject({ template: templateText, data: data.exactOptional() }),
  z.strictObject({
    name: key.name,
    channel: key.channel,
    locale: key.locale.exactOptional(),
    data: data.exactOptional(),
  }),
]);
