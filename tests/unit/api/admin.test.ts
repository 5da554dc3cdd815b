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

/** For what needs no database. */
const NOWHERE = {
  add: () => Promise.reject(new Error('nothing is stored here')),
  has: () => Promise.reject(new Error('nothing is stored here')),
};
const open = (password: string, clock: Clock) =>
  createAdminSessions({ password, clock, signOuts: NOWHERE });

describe('admin sessions', () => {
  const clock = clockAt(1_000_000);
  const sessions = open('a password', clock);

  it('open with the password only', () => {
    expect(sessions.isPassword('a password')).toBe(true);
    for (const wrong of ['', 'a passwor', 'a password ', 'A password']) {
      expect(sessions.isPassword(wrong)).toBe(false);
    }
  });

  it('are cookies that scripts and other sites do not get, for 12 hours', () => {
    const cookie = sessions.open(request());
    expect(cookie).toMatch(
      /^sluice_session=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(sessions.open(request({ 'x-forwarded-proto': 'https' }))).toMatch(/; Secure$/);
  });

  it('are known again until they are over', () => {
    const own = clockAt(0);
    const mine = open('a password', own);
    const signedIn = withCookie(mine.open(request()));
    expect(mine.read(signedIn)).toEqual({
      operator: 'admin',
      nonce: expect.any(String),
      endsAt: expect.any(Date),
    });
    own.move(LIMITS.adminSessionMs - 1);
    expect(mine.read(signedIn)).toBeDefined();
    own.move(1);
    expect(mine.read(signedIn)).toBeUndefined();
  });

  it('are known to every replica with the same password, and to no other', () => {
    const signedIn = withCookie(sessions.open(request()));
    expect(open('a password', clock).read(signedIn)).toBeDefined();
    expect(open('another one', clock).read(signedIn)).toBeUndefined();
  });

  it('cannot be made longer or up', () => {
    const [value = ''] = sessions.open(request()).split(';');
    const [endsAt = '', nonce = '', signature = ''] = value
      .replace('sluice_session=', '')
      .split('.');
    const later = `${Number(endsAt) + 1}.${nonce}.${signature}`;
    const forged = [later, `${endsAt}.x.${signature}`, `${endsAt}.${nonce}.`, '..', '', 'NaN.a.b'];
    for (const text of forged) {
      expect(sessions.read(request({ cookie: `sluice_session=${text}` }))).toBeUndefined();
    }
    expect(sessions.read(request())).toBeUndefined();
  });

  it('have form tokens of their own', () => {
    const endsAt = new Date(0);
    const [one, two] = [
      { operator: 'admin', nonce: 'a', endsAt },
      { operator: 'admin', nonce: 'b', endsAt },
    ];
    expect(sessions.isFormToken(one, sessions.formToken(one))).toBe(true);
    expect(sessions.isFormToken(two, sessions.formToken(one))).toBe(false);
    expect(sessions.isFormToken(one, '')).toBe(false);
  });
});

describe('a browser that has signed in before', () => {
  const sessions = open('a password', clockAt(0));

  it('is known, and cannot be made up', () => {
    const cookie = sessions.know(request());
    expect(sessions.knownAs(withCookie(cookie))).toMatch(/^[\w-]+$/);
    expect(sessions.read(withCookie(cookie))).toBeUndefined();
    const forged = ['', 'x', 'x.', `x.${cookie.split('.')[1]?.split(';')[0] ?? ''}`];
    for (const text of forged) {
      expect(sessions.knownAs(request({ cookie: `sluice_admin_known=${text}` }))).toBeUndefined();
    }
  });
});

describe('who guesses the password', () => {
  const fail = (throttle: ReturnType<typeof createThrottle>, who: string, times: number): void => {
    for (let time = 0; time < times; time += 1) throttle.failed(who);
  };

  it('waits a second after five guesses, and each time twice as long, up to a minute', () => {
    const clock = clockAt(0);
    const throttle = createThrottle(clock);
    fail(throttle, 'a', LIMITS.adminGuessesFree);
    expect(throttle.waitSeconds('a')).toBe(0);
    const waits = Array.from({ length: 9 }, () => {
      throttle.failed('a');
      const seconds = throttle.waitSeconds('a');
      clock.move(seconds * 1_000);
      expect(throttle.waitSeconds('a')).toBe(0);
      return seconds;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    clock.move(LIMITS.adminGuessWindowMs);
    throttle.failed('a');
    expect(throttle.waitSeconds('a')).toBe(0);
  });

  it('keeps nobody else waiting, however many guess', () => {
    const throttle = createThrottle(clockAt(0));
    for (let who = 0; who <= LIMITS.adminGuessesMax; who += 1) throttle.failed(`bot ${who}`);
    expect(throttle.waitSeconds('operator')).toBe(0);
    throttle.failed('one more bot');
    expect(throttle.waitSeconds('one more bot')).toBe(60);
  });

  it('is forgiven when it gets it right, and only it', () => {
    const throttle = createThrottle(clockAt(0));
    for (const who of ['a', 'b']) fail(throttle, who, LIMITS.adminGuessesFree + 1);
    throttle.succeeded('a');
    expect([throttle.waitSeconds('a'), throttle.waitSeconds('b')]).toEqual([0, 1]);
  });

  it('is not forgotten because others guess from very many addresses', () => {
    const throttle = createThrottle(clockAt(0));
    fail(throttle, 'a', 6);
    for (let who = 0; who < LIMITS.adminGuessersMax - 1; who += 1) throttle.failed(`bot ${who}`);
    expect(throttle.waitSeconds('a')).toBeGreaterThan(0);
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
