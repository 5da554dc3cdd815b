import ipaddr from 'ipaddr.js';

/** All that IANA has given out as global unicast; outside of it nothing is anybody's host. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

export type AddressKind = 'public' | 'loopback' | 'other';

/**
 * What an IP address in text leads to. `public` is global unicast and nothing else: an IPv6 form
 * that carries an IPv4 address inside (mapped, NAT64, 6to4, Teredo) is `other`, whatever it carries.
 */
export function kindOfAddress(address: string): AddressKind {
  if (!ipaddr.isValid(address)) return 'other';
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range === 'loopback') return 'loopback';
  if (range !== 'unicast') return 'other';
  return parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_UNICAST) ? 'other' : 'public';
}
