import { domainToASCII } from 'node:url';

const LOCAL_CHARS_MAX = 64;
const ADDRESS_CHARS_MAX = 254;
/** RFC 5321, 4.1.2: a dot-string. Quoted local parts are legal, and no mailbox has one. */
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN_TEXT = /^[\p{L}\p{N}\p{M}.-]+$/u;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Whether a mail can be addressed to it: international domains as people write them or in punycode
 * (RFC 5891), two labels at least.
 */
export function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(0, at));
  const domain = text.slice(at + 1);
  if (text.length > ADDRESS_CHARS_MAX || local.length > LOCAL_CHARS_MAX) return false;
  if (!LOCAL.test(local) || !DOMAIN_TEXT.test(domain)) return false;
  const labels = domainToASCII(domain).split('.');
  const isNumber = /^\d+$/.test(labels.at(-1) ?? '');
  return labels.length > 1 && !isNumber && !labels.some((label) => !LABEL.test(label));
}
