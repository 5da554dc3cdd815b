import type { ChannelDefinition } from './channel.ts';
import { email } from './email.ts';
import { push } from './push.ts';
import { realtime } from './realtime.ts';
import { sms } from './sms.ts';
import { webhook } from './webhook.ts';
import type { Channel } from '../ports.ts';

/** Every channel: one line each. Its policy stands in `policies.ts`. */
export const CHANNEL_DEFINITIONS: { readonly [C in Channel]: ChannelDefinition<C> } = {
  email,
  sms,
  push,
  webhook,
  realtime,
};
