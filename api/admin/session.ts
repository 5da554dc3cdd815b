import { createHmac, hash, scryptSync, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { newToken } from '../../core/kernel/ids.ts';

/** An operator who has signed in. */
export interface AdminSession {
  readonly nonce: string;
}

export interface AdminSessions {
  isPassword(text: string): boolean;
  /** `Set-Cookie` of a new session. */
  open(request: IncomingMessage): string;
  /** `Set-Cookie` that ends the session in this browser. */
  close(request: IncomingMessage): string;
  /** The session of a request, unless there is none, it is forged, or it is over. */
  find(request: IncomingMessage): AdminSession | undefined;
  /** What forms of this session carry to prove that they are ours. */
  formToken(session: AdminSession): string;
  isFormToken(session: AdminSession, token: string): boolean;
}

const COOKIE = 'sluice_admin';
const KEY_BYTES = 32;

/**
 * Sessions without a store: a signed cookie, so that every replica knows it and a restart forgets
 * nobody. The key comes from the password by scrypt; changing the password ends every session.
 */
export function createAdminSessions(password: string, clock: Clock): AdminSessions {
  const key = scryptSync(password, 'sluice admin session', KEY_BYTES);
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  const formToken = ({ nonce }: AdminSession): string => sign(`form.${nonce}`);

  return Object.freeze({
    isPassword: (text: string) => isSame(text, password),
    open: (request: IncomingMessage) => {
      const content = `${clock.now() + LIMITS.adminSessionMs}.${newToken()}`;
      const value = `${content}.${sign(`session.${content}`)}`;
      return cookie(request, value, LIMITS.adminSessionMs * 0.001);
    },
    close: (request: IncomingMessage) => cookie(request, '', 0),
    find: (request: IncomingMessage) => {
      const [endsAt = '', nonce = '', signature = ''] = cookieOf(request).split('.');
      if (!isSame(signature, sign(`session.${endsAt}.${nonce}`))) return undefined;
      return Number(endsAt) > clock.now() ? { nonce } : undefined;
    },
    formToken,
    isFormToken: (session: AdminSession, token: string) => isSame(token, formToken(session)),
  } satisfies AdminSessions);
}

/** Constant time, whatever the lengths. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

function cookieOf({ headers }: IncomingMessage): string {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? '';
}

function cookie(request: IncomingMessage, value: string, maxAgeSeconds: number): string {
  const isSecure =
    'encrypted' in request.socket || request.headers['x-forwarded-proto'] === 'https';
  return [
    `${COOKIE}=${value}`,
    'Path=/admin',
    `Max-Age=${Math.floor(maxAgeSeconds)}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ');
}
