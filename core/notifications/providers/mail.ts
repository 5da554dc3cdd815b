import type { SendOutcome } from '../ports.ts';

const ADDRESS = /^[^\s<>"(),:;@[\]\\]+@([^\s<>"(),:;@[\]\\]+)$/;

/** From the delivery's key, so that a mail that was sent twice can be recognised as one. */
export function messageIdOf(key: string, from: string): string {
  const domain = /@([^\s>@]+)>?$/.exec(from.trim())?.[1] ?? 'localhost';
  return `<${key}@${domain}>`;
}

/** One plain address: no list, no display name, nothing that could start another header. */
export function isMailAddress(text: string): boolean {
  return ADDRESS.test(text) && text.length <= 254;
}

export function badAddress(): SendOutcome {
  return { kind: 'permanent', code: 'bad_address', detail: 'That is no mail address' };
}
