import { createHmac, hash, scryptSync, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { newToken } from '../../core/kernel/ids.ts';
import type { SignOutStore } from '../../core/access/sign-out-store.ts';

/** An operator who has signed in. */
export interface AdminSession {
  /** Who is named in audits. */
  readonly operator: string;
  readonly nonce: string;
  readonly endsAt: Date;
}

export interface AdminSessions {
  isPassword(text: string): boolean;
  /** `Set-Cookie` of a new session. */
  open(request: IncomingMessage): string;
  /** Ends the session, wherever its cookie may be; gives the `Set-Cookie` that takes it away. */
  close(session: AdminSession, request: IncomingMessage): Promise<string>;
  /** The session of a request, unless there is none, it is forged, or its time is over. */
  read(request: IncomingMessage): AdminSession | undefined;
  /** The same, unless it was ended. @throws when the database does not say. */
  find(request: IncomingMessage): Promise<AdminSession | undefined>;
  /** `Set-Cookie` by which a browser that has signed in is known for long. */
  know(request: IncomingMessage): string;
  /** What tells a known browser from others; undefined: it has not signed in before. */
  knownAs(request: IncomingMessage): string | undefined;
  /** What forms of this session carry to prove that they are ours. */
  formToken(session: AdminSession): string;
  isFormToken(session: AdminSession, token: string): boolean;
}

/** For every path, since the console calls the API as well. */
const COOKIE = 'sluice_session';
const KNOWN_COOKIE = 'sluice_admin_known';
/** One password is one operator. */
const OPERATOR = 'admin';
const KEY_BYTES = 32;

export interface SessionsDeps {
  readonly password: string;
  readonly clock: Clock;
  readonly signOuts: SignOutStore;
}

/**
 * A session is a signed cookie, so that every replica knows it and a restart forgets nobody; what is
 * stored is those that were ended before their time. The key comes from the password by scrypt;
 * changing the password ends every session.
 */
export function createAdminSessions({ password, clock, signOuts }: SessionsDeps): AdminSessions {
  const key = scryptSync(password, 'sluice admin session', KEY_BYTES);
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  const formToken = ({ nonce }: Pick<AdminSession, 'nonce'>): string => sign(`form.${nonce}`);

  const read = (request: IncomingMessage): AdminSession | undefined => {
    const [endsAt = '', nonce = '', signature = ''] = cookieOf(request, COOKIE).split('.');
    if (!isSame(signature, sign(`session.${endsAt}.${nonce}`))) return undefined;
    if (!(Number(endsAt) > clock.now())) return undefined;
    return { operator: OPERATOR, nonce, endsAt: new Date(Number(endsAt)) };
  };

  return Object.freeze({
    isPassword: (text: string) => isSame(text, password),
    open: (request: IncomingMessage) => {
      const content = `${clock.now() + LIMITS.adminSessionMs}.${newToken()}`;
      const value = `${content}.${sign(`session.${content}`)}`;
      return cookie(request, { name: COOKIE, path: '/', value, ms: LIMITS.adminSessionMs });
    },
    close: async (session: AdminSession, request: IncomingMessage) => {
      await signOuts.add(session);
      return cookie(request, { name: COOKIE, path: '/', value: '', ms: 0 });
    },
    read,
    find: async (request: IncomingMessage) => {
      const session = read(request);
      const isOver = session === undefined || (await signOuts.has(session.nonce));
      return isOver ? undefined : session;
    },
    know: (request: IncomingMessage) => {
      const name = newToken();
      const value = `${name}.${sign(`known.${name}`)}`;
      return cookie(request, {
        name: KNOWN_COOKIE,
        path: '/admin',
        value,
        ms: LIMITS.adminKnownMs,
      });
    },
    knownAs: (request: IncomingMessage) => {
      const [name = '', signature = ''] = cookieOf(request, KNOWN_COOKIE).split('.');
      return isSame(signature, sign(`known.${name}`)) ? name : undefined;
    },
    formToken,
    isFormToken: (session: AdminSession, token: string) => isSame(token, formToken(session)),
  } satisfies AdminSessions);
}

/** Constant time, whatever the lengths. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

function cookieOf({ headers }: IncomingMessage, name: string): string {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

interface Cookie {
  readonly name: string;
  readonly path: string;
  readonly value: string;
  readonly ms: number;
}

function cookie(request: IncomingMessage, { name, path, value, ms }: Cookie): string {
  const isSecure =
    'encrypted' in request.socket || request.headers['x-forwarded-proto'] === 'https';
  return [
    `${name}=${value}`,
    `Path=${path}`,
    `Max-Age=${Math.floor(ms / 1_000)}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ');
}
