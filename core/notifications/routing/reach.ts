import type { UserFacts } from './facts.ts';
import type { Channel, PushTarget } from '../ports.ts';

export interface Place {
  readonly address: string;
  readonly pushTarget?: PushTarget;
}

/** Where a user is reached on a channel; several devices, else one place or none. Pure. */
export function addressesOf(user: UserFacts, channel: Channel): readonly Place[] {
  const { contacts, pushTargets = [], userId } = user;
  switch (channel) {
    case 'email':
      return contacts?.email === undefined ? [] : [{ address: contacts.email }];
    case 'sms':
      return contacts?.phone === undefined ? [] : [{ address: contacts.phone }];
    case 'push':
      return pushTargets.map((pushTarget) => ({ address: pushAddress(pushTarget), pushTarget }));
    case 'realtime':
      return [{ address: `user:${userId}` }];
    case 'webhook':
      return [];
  }
}

function pushAddress(target: PushTarget): string {
  return target.kind === 'fcm' ? target.token : target.endpoint;
}
