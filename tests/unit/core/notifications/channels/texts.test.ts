import { describe, expect, it } from 'vitest';
import { majorText } from '../../../../../core/kernel/money.ts';
import { builtInTemplate } from '../../../../../core/notifications/templates/built-in-templates.ts';
import {
  RULED_EVENTS,
  matchesFilter,
} from '../../../../../core/notifications/routing/event-rules.ts';
import { isWanted, quietForMs } from '../../../../../core/notifications/routing/preferences.ts';
import { localesOf } from '../../../../../core/notifications/templates/template-cache.ts';
import {
  render,
  templateProblems,
  variablesOf,
} from '../../../../../core/notifications/templates/template.ts';

describe('a template', () => {
  it('escapes what it shows in HTML, keeps a subject to one line, and is filled only once', () => {
    const template = {
      subject: 'Hello {{name}}',
      text: 'Dear {{ name }}, {{missing}}!',
      html: '<p title="{{name}}">{{name}}</p>',
    };
    const name = `<b>"{{secret}}"</b>\r\nBcc: all@example.test`;
    expect(render(template, { name, secret: 'x' })).toEqual({
      subject: 'Hello <b>"{{secret}}"</b> Bcc: all@example.test',
      text: `Dear ${name}, !`,
      html:
        '<p title="&lt;b&gt;&quot;{{secret}}&quot;&lt;/b&gt;\r\nBcc: all@example.test">' +
        '&lt;b&gt;&quot;{{secret}}&quot;&lt;/b&gt;\r\nBcc: all@example.test</p>',
    });
  });

  it('shows nothing that an object inherits', () => {
    expect(render({ text: '[{{constructor}}{{toString}}]' }, {}).text).toBe('[]');
  });

  it('with braces that are no variable is refused', () => {
    expect(templateProblems({ text: 'a {{b}} {{c.d}}' })).toEqual([]);
    expect(templateProblems({ text: 'a {{b' })).toMatchObject([{ pointer: '/text' }]);
    expect(templateProblems({ text: 'x', html: '{{#if a}}' })).toMatchObject([
      { pointer: '/html' },
    ]);
    expect(variablesOf({ subject: '{{b}}', text: '{{a}} {{b}}' })).toEqual(['b', 'a']);
  });

  it('is there for every event that users are told about, on every channel', () => {
    const nameless = RULED_EVENTS.filter(
      (event) =>
        builtInTemplate(event, 'email') === undefined &&
        ['sent', 'received'].some(
          (role) => builtInTemplate(`${event}.${role}`, 'sms') === undefined,
        ),
    );
    expect(nameless).toEqual([]);
  });

  it('is looked for in the language asked for, then in wider ones', () => {
    expect(localesOf('de-AT')).toEqual(['de-AT', 'de', 'en']);
    expect(localesOf(undefined)).toEqual(['en']);
  });
});

describe('amounts as people read them', () => {
  it.each([
    ['1250', 'EUR', '12.50 EUR'],
    ['5', 'EUR', '0.05 EUR'],
    ['-5', 'EUR', '-0.05 EUR'],
    ['1250', 'JPY', '1250 JPY'],
    ['1250', 'KWD', '1.250 KWD'],
    ['1250', 'POINTS', '1250 POINTS'],
  ])('%s %s is %s', (minor, currency, text) => {
    expect(majorText(minor, currency)).toBe(text);
  });
});

describe('what a user wants', () => {
  const asked = { event: 'transfer.settled', category: 'payments', channel: 'sms' } as const;
  it.each([
    [undefined, true, true],
    [undefined, false, false],
    [{ sms: false }, true, false],
    [{ payments: false }, true, false],
    [{ 'transfer.settled': false }, true, false],
    [{ sms: true }, false, false],
    [{ 'payments.sms': true }, false, true],
    [{ 'payments.sms': true, payments: false }, false, true],
    [{ 'transfer.settled.sms': false, 'payments.sms': true }, true, false],
  ])('%j with default %s: %s', (preferences, isDefault, wanted) => {
    expect(isWanted(preferences, { ...asked, isDefault })).toBe(wanted);
  });

  const berlin = { from: '22:00', to: '07:00', zone: 'Europe/Berlin' };
  it.each([
    ['2026-07-01T19:59:30Z', 0], // 21:59 there
    ['2026-07-01T20:00:00Z', 9 * 3_600_000],
    ['2026-07-02T04:59:30Z', 30_000],
    ['2026-07-02T05:00:00Z', 0],
    ['2026-01-01T20:30:00Z', 0], // 21:30 in winter
    ['2026-01-01T21:30:00Z', 8.5 * 3_600_000],
  ])('at %s the quiet hours go on for %s ms', (at, ms) => {
    expect(quietForMs(berlin, new Date(at))).toBe(ms);
  });

  const HOUR = 3_600_000;
  it.each([
    ['forward in the night', berlin, '2026-03-28T22:30:00Z', '2026-03-29T05:00:00Z'],
    ['back in the night', berlin, '2026-10-24T21:30:00Z', '2026-10-25T06:00:00Z'],
    [
      'back, while the hour runs a second time',
      berlin,
      '2026-10-25T01:30:00Z',
      '2026-10-25T06:00:00Z',
    ],
    ['a second before the change', berlin, '2026-03-29T00:59:59Z', '2026-03-29T05:00:00Z'],
    ['a minute after the change', berlin, '2026-03-29T01:01:00Z', '2026-03-29T05:00:00Z'],
    // 02:30 does not exist that night: it is over when the clock goes from 02:00 to 03:00.
    [
      'over an end that is left out',
      { ...berlin, to: '02:30' },
      '2026-03-28T22:00:00Z',
      '2026-03-29T01:00:00Z',
    ],
    [
      'to an end that comes twice',
      { ...berlin, to: '02:30' },
      '2026-10-24T21:00:00Z',
      '2026-10-25T00:30:00Z',
    ],
    [
      'by half an hour',
      { ...berlin, zone: 'Australia/Lord_Howe' },
      '2026-10-03T12:30:00Z',
      '2026-10-03T20:00:00Z',
    ],
    [
      'back in the west',
      { ...berlin, zone: 'America/New_York' },
      '2026-11-01T03:00:30Z',
      '2026-11-01T12:00:00Z',
    ],
  ] as const)(
    'quiet hours end by the clock on the wall where it is changed: %s',
    (_how, quiet, at, end) => {
      const now = new Date(at);
      expect(new Date(now.getTime() + quietForMs(quiet, now)).toISOString()).toBe(
        new Date(end).toISOString(),
      );
    },
  );

  it('quiet hours over a change of the clock are 7.5 - 1 and 7.5 + 1 hours from half past eleven', () => {
    expect(quietForMs(berlin, new Date('2026-03-28T22:30:00Z'))).toBe(6.5 * HOUR);
    expect(quietForMs(berlin, new Date('2026-10-24T21:30:00Z'))).toBe(8.5 * HOUR);
  });

  it('has no quiet hours when they have no length', () => {
    expect(quietForMs({ ...berlin, to: '22:00' }, new Date('2026-07-01T20:00:00Z'))).toBe(0);
  });
});

describe('event filters', () => {
  it.each([
    ['*', 'transfer.settled', true],
    ['transfer.*', 'transfer.settled', true],
    ['transfer.*', 'transferred.x', false],
    ['transfer.settled', 'transfer.settled', true],
    ['transfer', 'transfer.settled', false],
  ])('%s and %s: %s', (filter, event, matches) => {
    expect(matchesFilter(filter, event)).toBe(matches);
  });
});
