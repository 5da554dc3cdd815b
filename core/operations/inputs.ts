import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { withoutNulls } from '../kernel/changes.ts';
import { CURRENCY_PATTERN } from '../kernel/currencies.ts';
import { isEmailAddress } from '../kernel/email.ts';
import { amountProblem } from '../kernel/money.ts';
import { isSystemUser } from '../ledger/documents.ts';

const BASE64URL = /^[A-Za-z0-9_-]+=*$/;
const base64Text = 'must be base64url';

/** Building blocks of operation inputs. Every one normalises to plain JSON. */

/** Minor units: decimal digits as a string, or a safe integer. Normalised to the string. */
export const amount = z
  .union([z.string(), z.number()], {
    error: 'must be minor units: a string of digits or an integer',
  })
  .transform((value, ctx): string => {
    const problem = amountProblem(value);
    if (problem !== undefined) {
      ctx.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    }
    return String(value);
  })
  .meta({
    description: 'minor units, 1 to 10^15, as a string of digits or a safe integer',
    ...{ pattern: '^[1-9][0-9]{0,15}$', minimum: 1, multipleOf: 1 },
  });

/** As `amount`, zero allowed. */
export const amountOrZero = z
  .union([z.string(), z.number()], {
    error: 'must be minor units: a string of digits or an integer',
  })
  .transform((value, ctx): string => {
    const problem = value === 0 || value === '0' ? undefined : amountProblem(value);
    if (problem !== undefined) {
      ctx.addIssue({ code: 'custom', message: problem.replace(', and greater than zero', '') });
      return z.NEVER;
    }
    return String(value);
  })
  .meta({
    description: 'minor units, 0 to 10^15, as a string of digits or a safe integer',
    ...{ pattern: '^(0|[1-9][0-9]{0,15})$', minimum: 0, multipleOf: 1 },
  });

/** What comes on top. Zero is none, as forms and price lists have it. */
export const fee = amountOrZero.meta({
  description: 'minor units, 0 to 10^15, as a string of digits or a safe integer; 0 is no fee',
  ...{ pattern: '^(0|[1-9][0-9]{0,15})$', minimum: 0, multipleOf: 1 },
});

/** Whether the tenant knows the currency is checked after the schema (it may define its own). */
export const currency = z
  .string()
  .regex(CURRENCY_PATTERN, 'must be a currency code such as EUR')
  .meta({ description: 'ISO 4217 code, or one that the tenant has defined' });

export const userId = z
  .string()
  .min(1)
  .max(LIMITS.userIdCharsMax)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@+~-]*$/, 'must be letters, digits and . _ : @ + ~ -')
  .refine((id) => !isSystemUser(id), 'must not start with "sys:"')
  .meta({ description: 'id of a user, chosen by the tenant' });

/**
 * A user's id in a query string, where a form-encoding client makes a blank of a `+` that another
 * one leaves as it is: no id has a blank.
 */
export const userIdParameter = z
  .string()
  .transform((text) => text.replaceAll(' ', '+'))
  .pipe(userId);

export const description = z
  .string()
  .min(1)
  .max(LIMITS.descriptionCharsMax)
  .meta({ description: 'free text that the entries carry' });

/** An instant, normalised to UTC with milliseconds. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 date and time with a zone' })
  .transform((text, ctx): string => {
    const time = new Date(text);
    if (Number.isNaN(time.getTime())) {
      ctx.addIssue({ code: 'custom', message: 'must be a date that exists' });
      return z.NEVER;
    }
    return time.toISOString();
  })
  .meta({ description: 'ISO 8601 date and time with a zone' });

export const transferId = z
  .string()
  .regex(/^trf_[0-9a-f]{32}(-\d{1,4})?$/, 'must be a transfer id (trf_…)');

export const holdId = z
  .string()
  .regex(/^hld_[0-9a-f]{32}(-\d{1,4})?$/, 'must be a hold id (hld_…)');

/** Ways to reach somebody, and the language for it. */
export const contact = {
  email: z.string().refine(isEmailAddress, 'must be a mail address, such as ada@example.org'),
  phone: z.string().regex(/^\+[1-9]\d{6,14}$/, 'must be in E.164 form, such as +4915112345678'),
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a BCP 47 tag, such as en-GB'),
};

const contactFields = z.strictObject({
  email: contact.email.nullable().exactOptional(),
  phone: contact.phone.nullable().exactOptional(),
  locale: contact.locale.nullable().exactOptional(),
});

/** Of somebody new, who has nothing yet that null could remove. */
export const contacts = contactFields.transform(withoutNulls);

export const contactChanges = contactFields.meta({ description: 'null removes a contact' });

/** All of a user's devices and browsers at once: what is not in the list is forgotten. */
export const pushTargets = z
  .array(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('fcm'), token: z.string().min(1).max(4_096) }),
      z.strictObject({
        kind: z.literal('webpush'),
        endpoint: z.url({ protocol: /^https?$/ }).max(2_048),
        keys: z.strictObject({
          p256dh: z.string().regex(BASE64URL, base64Text).max(200),
          auth: z.string().regex(BASE64URL, base64Text).max(100),
        }),
      }),
    ]),
  )
  .max(LIMITS.pushTargetsMax)
  .meta({ description: 'devices (FCM tokens) and browsers (Web Push subscriptions)' });

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:00');

export const quietHours = z
  .strictObject({
    from: timeOfDay,
    to: timeOfDay,
    zone: z.string().max(64).refine(isTimeZone, 'must be an IANA time zone, such as Europe/Berlin'),
  })
  .meta({ description: 'no SMS or push between these times; they wait for the end' });

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
