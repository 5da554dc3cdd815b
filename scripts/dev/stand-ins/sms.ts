import { randomBytes } from 'node:crypto';
import type { Answer, Call } from './exchange.ts';

/** Numbers that fail as the test numbers of Twilio do, each with its error code. */
const MAGIC: Readonly<Record<string, readonly [status: number, code: number, message: string]>> = {
  '+15005550001': [400, 21211, 'The To number is not a valid phone number'],
  '+15005550002': [400, 21612, 'The To number is not reachable from this From number'],
  '+15005550003': [400, 21408, 'Permission to send to that region is not enabled'],
  '+15005550004': [400, 21610, 'The recipient has unsubscribed'],
  '+15005550009': [400, 21614, 'The To number cannot receive SMS'],
};

export interface SmsAccount {
  readonly account: string;
  readonly token: string;
}

export function newSmsAccount(): SmsAccount {
  return {
    account: `AC${randomBytes(16).toString('hex')}`,
    token: randomBytes(16).toString('hex'),
  };
}

/** `POST /2010-04-01/Accounts/<sid>/Messages.json` */
export function answerSms({ account, token }: SmsAccount, call: Call): Answer {
  const wanted = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`;
  if (call.headers['authorization'] !== wanted || !call.path.includes(`/${account}/`)) {
    return trouble(401, 20003, 'Authenticate');
  }
  const form = new URLSearchParams(call.body.toString('utf8'));
  const message = Object.fromEntries(form);
  const magic = MAGIC[form.get('To') ?? ''];
  if (magic !== undefined) return trouble(...magic);
  if (form.get('Body') === null || form.get('Body') === '') {
    return trouble(400, 21602, 'Message body is required');
  }
  if ((form.get('Body') ?? '').length > 1_600) {
    return trouble(400, 21617, 'The concatenated message body exceeds the 1600 character limit');
  }
  const sid = `SM${randomBytes(16).toString('hex')}`;
  return { status: 201, body: { sid, status: 'queued', ...message }, shown: message };
}

function trouble(status: number, code: number, message: string): Answer {
  return { status, body: { code, message, status } };
}
