import { DIGEST_TEMPLATE } from '../routing/event-rules.ts';
import type { TemplateText } from './template.ts';

/** English texts for the events that users are told about, until a tenant writes its own. */
interface BuiltIn {
  readonly subject: string;
  readonly text: string;
}

const BUILT_IN_TEMPLATES = {
  'transfer.settled.sent': {
    subject: 'You sent {{amountText}}',
    text: 'You sent {{amountText}} to {{toUserId}}. {{description}}\nReference: {{transferId}}',
  },
  'transfer.settled.received': {
    subject: 'You received {{amountText}}',
    text: '{{fromUserId}} sent you {{amountText}}. {{description}}\nReference: {{transferId}}',
  },
  'transfer.reversed.sent': {
    subject: '{{amountText}} came back to you',
    text: '{{amountText}} of your transfer to {{toUserId}} came back.\nReference: {{transferId}}',
  },
  'transfer.reversed.received': {
    subject: '{{amountText}} was taken back',
    text: '{{amountText}} of a transfer from {{fromUserId}} was reversed.\nReference: {{transferId}}',
  },
  'deposit.settled': {
    subject: 'Your deposit of {{amountText}} has arrived',
    text: 'Your deposit of {{amountText}} has been credited.',
  },
  'withdrawal.settled': {
    subject: 'Your withdrawal of {{amountText}} is on its way',
    text: 'Your withdrawal of {{amountText}} has been paid out.',
  },
  'hold.placed': {
    subject: '{{amountText}} is reserved',
    text: '{{amountText}} of your balance is reserved.\nReference: {{holdId}}',
  },
  'hold.captured': {
    subject: '{{amountText}} was charged',
    text: '{{amountText}} of a reserved amount was charged.\nReference: {{holdId}}',
  },
  'hold.released': {
    subject: '{{amountText}} is free again',
    text: 'A reserved amount of {{amountText}} is free again.\nReference: {{holdId}}',
  },
  'hold.expired': {
    subject: 'A reservation has ended',
    text: 'A reserved amount of {{amountText}} is free again.',
  },
  'bonus.awarded': {
    subject: 'You got a bonus of {{amountText}}',
    text: 'You got a bonus of {{amountText}}.',
  },
  'user.created': { subject: 'Welcome', text: 'Your account {{userId}} is ready.' },
  'user.blocked': {
    subject: 'Your account is blocked',
    text: 'Your account {{userId}} is blocked. Please get in touch with us.',
  },
  'user.unblocked': {
    subject: 'Your account is open again',
    text: 'Your account {{userId}} is open again.',
  },
  'wallet.frozen': {
    subject: 'Your {{currency}} wallet is frozen',
    text: 'Your {{currency}} wallet is frozen. Please get in touch with us.',
  },
  'wallet.activated': {
    subject: 'Your {{currency}} wallet is active again',
    text: 'Your {{currency}} wallet is active again.',
  },
  'wallet.closed': {
    subject: 'Your {{currency}} wallet is closed',
    text: 'Your {{currency}} wallet is closed.',
  },
  [DIGEST_TEMPLATE]: {
    subject: '{{count}} news about your account',
    text: 'What happened lately:\n\n{{lines}}',
  },
} as const satisfies Record<string, BuiltIn>;

/** All of them by name: what is used until a tenant writes its own. */
export function builtInTemplates(): readonly (TemplateText & { readonly name: string })[] {
  return Object.entries<BuiltIn>(BUILT_IN_TEMPLATES).map(([name, text]) => ({ name, ...text }));
}

/** The built-in text of a name, as a channel needs it: only mail has HTML. */
export function builtInTemplate(name: string, channel: string): TemplateText | undefined {
  if (!Object.hasOwn(BUILT_IN_TEMPLATES, name)) return undefined;
  // It has just been found there.
  const found: BuiltIn | undefined = BUILT_IN_TEMPLATES[name as keyof typeof BUILT_IN_TEMPLATES];
  return channel === 'email' ? { ...found, html: htmlOf(found.text) } : found;
}

/** Paragraphs of the text, which holds no markup of its own. */
function htmlOf(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => `<p style="white-space: pre-line">${line}</p>`).join('\n');
}
