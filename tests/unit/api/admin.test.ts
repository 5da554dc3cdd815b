import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { html, htmlReply } from '../../../api/admin/html.ts';
import { createAdminSessions } from '../../../api/admin/session.ts';
import { createThrottle } from '../../../api/admin/throttle.ts';
import { LIMITS } from '../../../config/limits.ts';
import { type Clock, systemClock } from '../../../core/kernel/clock.ts';

function clockAt(start: number): Clock & { move(ms: number): void } {
  let now = start;
  return {
    ...systemClock,
    now: () => now,
    monotonicMs: () => now,
    move: (ms) => {
      now += ms;
    },
  };
}

function request(headers: Readonly<Record<string, string>> = {}): IncomingMessage {
  const incoming = new IncomingMessage(new Socket());
  Object.assign(incoming.headers, headers);
  return incoming;
}

const withCookie = (setCookie: string): IncomingMessage =>
  request({ cookie: `theme=dark; ${setCookie.split(';')[0] ?? ''}` });

describe('admin sessions', () => {
  const clock = clockAt(1_000_000);
  const sessions = createAdminSessions('a password', clock);

  it('open with the password only', () => {
    expect(sessions.isPassword('a password')).toBe(true);
    for (const wrong of ['', 'a passwor', 'a password ', 'A password']) {
      expect(sessions.isPassword(wrong)).toBe(false);
    }
  });

  it('are cookies that scripts and other sites do not get, for 12 hours', () => {
    const cookie = sessions.open(request());
    expect(cookie).toMatch(
      /^sluice_admin=[\w.-]+; Path=\/admin; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(sessions.open(request({ 'x-forwarded-proto': 'https' }))).toMatch(/; Secure$/);
  });

  it('are known again until they are over', () => {
    const own = clockAt(0);
    const mine = createAdminSessions('a password', own);
    const signedIn = withCookie(mine.open(request()));
    expect(mine.find(signedIn)).toEqual({ nonce: expect.any(String) });
    own.move(LIMITS.adminSessionMs - 1);
    expect(mine.find(signedIn)).toBeDefined();
    own.move(1);
    expect(mine.find(signedIn)).toBeUndefined();
  });

  it('are known to every replica with the same password, and to no other', () => {
    const signedIn = withCookie(sessions.open(request()));
    expect(createAdminSessions('a password', clock).find(signedIn)).toBeDefined();
    expect(createAdminSessions('another one', clock).find(signedIn)).toBeUndefined();
  });

  it('cannot be made longer or up', () => {
    const [value = ''] = sessions.open(request()).split(';');
    const [endsAt = '', nonce = '', signature = ''] = value.replace('sluice_admin=', '').split('.');
    const later = `${Number(endsAt) + 1}.${nonce}.${signature}`;
    const forged = [later, `${endsAt}.x.${signature}`, `${endsAt}.${nonce}.`, '..', '', 'NaN.a.b'];
    for (const text of forged) {
      expect(sessions.find(request({ cookie: `sluice_admin=${text}` }))).toBeUndefined();
    }
    expect(sessions.find(request())).toBeUndefined();
  });

  it('have form tokens of their own', () => {
    const [one, two] = [{ nonce: 'a' }, { nonce: 'b' }];
    expect(sessions.isFormToken(one, sessions.formToken(one))).toBe(true);
    expect(sessions.isFormToken(two, sessions.formToken(one))).toBe(false);
    expect(sessions.isFormToken(one, '')).toBe(false);
  });
});

describe('the throttle', () => {
  it('shuts one address out after its failures, for the window', () => {
    const clock = clockAt(0);
    const throttle = createThrottle({ clock, perAddressMax: 2, allMax: 100, windowMs: 10_000 });
    throttle.failed('a');
    expect(throttle.waitSeconds('a')).toBe(0);
    throttle.failed('a');
    expect(throttle.waitSeconds('a')).toBe(10);
    expect(throttle.waitSeconds('b')).toBe(0);
    clock.move(9_500);
    expect(throttle.waitSeconds('a')).toBe(1);
    clock.move(500);
    expect(throttle.waitSeconds('a')).toBe(0);
  });

  it('forgives an address that gets it right, but not all the others', () => {
    const throttle = createThrottle({
      clock: clockAt(0),
      perAddressMax: 2,
      allMax: 3,
      windowMs: 10_000,
    });
    throttle.failed('a');
    throttle.failed('a');
    throttle.succeeded('a');
    expect(throttle.waitSeconds('a')).toBe(0);
    throttle.failed('b');
    expect(throttle.waitSeconds('c')).toBe(10);
  });
});

describe('pages', () => {
  it('escape whatever is put into them', () => {
    const evil = '<script>alert("1")</script>&\'';
    expect(html`<p title="${evil}">${[html`<b>${evil}</b>`]}</p>`.text).toBe(
      '<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;">' +
        '<b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</b></p>',
    );
  });

  it('allow no scripts', () => {
    const { headers } = htmlReply({ title: 'x', body: html`` });
    expect(headers?.['Content-Security-Policy']).toContain("default-src 'none'");
  });
});
