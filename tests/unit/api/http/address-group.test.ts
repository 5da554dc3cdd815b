import { describe, expect, it } from 'vitest';
import { addressGroup } from '../../../../api/http/address-group.ts';

describe('an address in a crowd', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  it('is no other for a client that picks another one of its own network', () => {
    expect(addressGroup('2001:db8:1:2:a::1')).toBe(addressGroup('2001:db8:1:2:b::2'));
    expect(addressGroup('2001:db8:1:3::1')).not.toBe(addressGroup('2001:db8:1:2::1'));
    expect(addressGroup(undefined)).toBe('');
  });
});
