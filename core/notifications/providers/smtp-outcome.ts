import type { SendOutcome } from '../ports.ts';

/** What nodemailer rejects with. */
export interface SmtpTrouble {
  readonly code?: string | undefined;
  readonly command?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
}

interface Circumstances {
  /** The server had begun to take the text of the mail. */
  readonly wasHandedOver: boolean;
  readonly isLate: boolean;
}

const DETAIL_CHARS_MAX = 200;

/** RFC 3463: no such mailbox, no such domain, the mailbox is closed for good. */
const GONE: ReadonlySet<string> = new Set(['5.1.1', '5.1.2', '5.1.6', '5.1.10', '5.2.1']);

const SOCKET_CODES: Readonly<Record<string, string>> = {
  EDNS: 'dns_failed',
  ETLS: 'tls_failed',
  ETIMEDOUT: 'timeout',
  EAUTH: 'auth_failed',
};

/**
 * Says whose fault a failed mail is: the recipient's or the text's (the mail is refused at RCPT or
 * DATA), or the server's (everything that happens before a mail is talked about).
 */
export function smtpOutcome(trouble: SmtpTrouble, seen: Circumstances): SendOutcome {
  if (seen.isLate) return broken('timeout', 'No answer in time', seen);
  if (isAboutMail(trouble)) return refusalOf(trouble);
  const code = SOCKET_CODES[trouble.code ?? ''] ?? 'connection_failed';
  return broken(code, detailOf(trouble, 'The mail server cannot be used'), seen);
}

/** A refused sender (but for the size it announces) is our set-up, and so befalls every mail. */
function isAboutMail(trouble: SmtpTrouble): trouble is SmtpTrouble & { responseCode: number } {
  const { command, responseCode } = trouble;
  // The session is at fault, or over.
  if (responseCode === undefined || responseCode === 421 || responseCode === 503) return false;
  if (command === 'MAIL FROM') return responseCode === 552;
  return command === 'RCPT TO' || command === 'DATA';
}

function refusalOf(trouble: SmtpTrouble & { readonly responseCode: number }): SendOutcome {
  const { responseCode: status, command } = trouble;
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(trouble.response ?? '')?.[1] ?? '';
  // 4.7.x is a policy, greylisting and rates most of all: the same mail passes a while later.
  if (status < 500 && enhanced.startsWith('4.7.')) return { kind: 'throttled', status };
  const reason = {
    code: `smtp_${String(status)}`,
    detail: detailOf(trouble, 'The mail server refused'),
    status,
  };
  if (status < 500) return { kind: 'transient', ...reason };
  const isGone = command === 'RCPT TO' && GONE.has(enhanced);
  return { kind: 'permanent', ...reason, ...(isGone && { isGone }) };
}

function broken(code: string, detail: string, { wasHandedOver }: Circumstances): SendOutcome {
  return { kind: 'fault', code, detail, mayHaveSent: wasHandedOver };
}

function detailOf({ response }: SmtpTrouble, fallback: string): string {
  return response === undefined ? fallback : response.slice(0, DETAIL_CHARS_MAX);
}
