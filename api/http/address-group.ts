const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;
const GROUPS = 8;
/** What one customer of a network gets: whoever has an address of it has all of them. */
const NETWORK_GROUPS = 4;

/** Whom an address counts as where there is so much for each: IPv6 goes by networks of 64 bits. */
export function addressGroup(address: string | undefined): string {
  const plain = (address ?? '').replace(MAPPED, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
