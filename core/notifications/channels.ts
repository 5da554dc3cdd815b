import type { ChannelDefinition } from './channel.ts';
import { email } from './channels/email.ts';
import { push } from './channels/push.ts';
import { realtime } from './channels/realtime.ts';
import { sms } from './channels/sms.ts';
import { webhook } from './channels/webhook.ts';
import type { Channel } from './ports.ts';

/** Every channel: one line each. Its policy stands in `policies.ts`. */
export const CHANNEL_DEFINITIONS: { readonly [C in Channel]: ChannelDefinition<C> } = {
  email,
  sms,
  push,
  webhook,
  realtime,
};
