import { describe, expect, it } from 'vitest';
import { CHANNEL_DEFINITIONS } from '../../../../../core/notifications/channels/registry.ts';
import type { DeliveryDoc } from '../../../../../core/notifications/delivery/delivery.ts';
import { bytesOf } from '../../../../../core/kernel/message-limits.ts';
import { render } from '../../../../../core/notifications/templates/template.ts';
import { notificationSend } from '../../../../../core/operation-types/notification-send.ts';

const NOW = new Date();

function deliveryOf(overrides: Partial<DeliveryDoc>): DeliveryDoc {
  return {
    ...{ _id: 'dlv_1', tenantId: 'default', channel: 'push', status: 'pending', seq: 1 },
    event: { id: 'evt_1', name: 'notification.requested', at: NOW },
    ...{ category: 'messages', address: 'token', template: 'content', data: {}, attempts: [] },
    pushTarget: { kind: 'fcm', token: 'token' },
    ...{ attemptsUsed: 0, expiresAt: NOW, createdAt: NOW },
    ...overrides,
  };
}

function pointersOf(input: object): readonly string[] {
  const parsed = notificationSend.input.safeParse({ userId: 'ann', ...input });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => `/${path.join('/')}`);
}

const content = (chars: number) => ({ content: { text: 'x'.repeat(chars) } });
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'x'.repeat(400)]));

describe('what a channel refuses for good', () => {
  it.each([
    [
      'a text message of 1,700 characters',
      { channels: ['sms'], ...content(1_700) },
      ['/content/text'],
    ],
    ['one of 1,600', { channels: ['sms'], ...content(1_600) }, []],
    [
      'a push with `from`',
      { channels: ['push'], ...content(9), data: { from: 'x' } },
      ['/data/from'],
    ],
    [
      'a push with `google.x` and `gcm.y`',
      { channels: ['email', 'push'], ...content(9), data: { 'google.x': 'x', 'gcm.y': 1 } },
      ['/data/google.x', '/data/gcm.y'],
    ],
    ['a mail with `from`', { channels: ['email'], ...content(9), data: { from: 'x' } }, []],
    ['a push with 4 KB of data', { channels: ['push'], ...content(9), data: many(10) }, ['/data']],
    ['a mail with as much', { channels: ['email'], ...content(9), data: many(10) }, []],
    ['a push of 5,000 characters', { channels: ['push'], ...content(5_000) }, ['/content/text']],
    [
      'a push of 1,500 characters of two bytes',
      { channels: ['push'], content: { text: 'ü'.repeat(1_500) } },
      [],
    ],
    [
      'a push of 2,000 of them',
      { channels: ['push'], content: { text: 'ü'.repeat(2_000) } },
      ['/content/text'],
    ],
    ['an event of 40 KB', { channels: ['realtime'], ...content(40_000) }, ['/content/text']],
  ])('is refused at the target, with its place: %s', (_what, input, pointers) => {
    expect(pointersOf(input)).toEqual(pointers);
  });
});

describe('a push', () => {
  const message = (overrides: Partial<DeliveryDoc>) =>
    CHANNEL_DEFINITIONS.push.message({ delivery: deliveryOf(overrides), now: NOW });

  it('carries the data as it was given: `event` is not overwritten', () => {
    const sent = message({ content: { text: 'x' }, data: { event: 'concert', from: 'Vienna' } });
    // Accepted before there was a rule: FCM would refuse the name.
    expect(sent).toMatchObject({ data: { event: 'concert', data_from: 'Vienna' } });
    expect(message({ content: { text: 'x' } })).toMatchObject({
      data: { event: 'notification.requested' },
    });
  });

  it('made of a template is cut to what a device gets', () => {
    const sent = message({ content: { subject: 'S', text: '€'.repeat(5_000) } });
    if (sent === undefined || sent === 'too-long') throw new Error('there is no push');
    const { title, body, data } = sent;
    expect(bytesOf({ title, body, data })).toBeLessThanOrEqual(3_900);
    expect(title).toBe('S');
    expect(body).toMatch(/^€{1000,}…$/);
  });

  it('whose data leave no room is not sent', () => {
    expect(message({ content: { text: 'x' }, data: many(12) })).toBe('too-long');
  });
});

describe('a template that names a long value ten thousand times', () => {
  const bomb = { text: '{{a}}'.repeat(10_000) };
  const data = { a: '&'.repeat(500) };

  it('ends at a ceiling, in HTML as well, and says so', () => {
    const rendered = render({ ...bomb, html: bomb.text }, data);
    expect(rendered.isTooLong).toBe(true);
    expect(rendered.text.length).toBeLessThanOrEqual(200_000);
    expect((rendered.html ?? '').length).toBeLessThanOrEqual(200_000);
    expect(render({ text: 'Hello {{a}}' }, data)).not.toHaveProperty('isTooLong');
  });

  it.each(['email', 'sms', 'realtime'] as const)('is not sent on %s', (channel) => {
    const delivery = deliveryOf({ channel, template: 'bomb', data });
    const materials = { delivery, now: NOW, template: bomb };
    expect(CHANNEL_DEFINITIONS[channel].message(materials)).toBe('too-long');
  });
});

describe('a digest of more events than it shows', () => {
  it('says how many they were, and how many it leaves out', () => {
    const items = Array.from({ length: 100 }, (_, n) => ({
      ...{ eventId: `evt_${n}`, name: 'bonus.awarded', data: { amountText: `${n} EUR` } },
    }));
    const more = Array.from({ length: 23 }, (_, n) => `evt_more_${n}`);
    const delivery = deliveryOf({ channel: 'email', template: 'digest', items, more });
    const template = { subject: '{{count}} news', text: '{{lines}}' };
    const itemTemplates = new Map([['bonus.awarded', { text: 'A bonus of {{amountText}}.' }]]);
    const materials = { delivery, now: NOW, template, itemTemplates };
    const mail = CHANNEL_DEFINITIONS.email.message(materials);
    if (mail === undefined || mail === 'too-long') throw new Error('there is no mail');
    expect(mail.subject).toBe('123 news');
    expect(mail.text.split('\n')).toHaveLength(101);
    expect(mail.text).toMatch(/- A bonus of 99 EUR\.\n… and 23 more$/);
  });
});
