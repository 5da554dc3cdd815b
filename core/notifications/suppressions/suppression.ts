import { createHash } from 'node:crypto';
import type { Channel } from '../ports.ts';

/** An address that nothing is sent to any more. */
export interface SuppressionDoc {
  /** Follows from tenant, channel and address: one entry each. */
  readonly _id: string;
  readonly tenantId: string;
  readonly channel: Channel;
  readonly address: string;
  /** `gone`: the provider says that there is no such target. Else what a person wrote. */
  readonly reason: string;
  readonly createdAt: Date;
}

export function suppressionIdOf(tenantId: string, channel: Channel, address: string): string {
  const text = `${tenantId}\n${channel}\n${normalised(channel, address)}`;
  return `sup_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** Mail servers may tell cases apart in theory; people who opt out do not. */
function normalised(channel: Channel, address: string): string {
  return channel === 'email' ? address.trim().toLowerCase() : address;
}
