import { describe, expect, it } from 'vitest';
import { isEmailAddress } from '../../../../core/kernel/email.ts';

describe('a mail address', () => {
  it.each([
    'ada@example.org',
    "o'brien+tag@sub.example.co.uk",
    'ada@xn--bcher-kva.example',
    'ada@example.xn--p1ai',
    'ada@bücher.example',
    'a@b.museum',
    `${'l'.repeat(64)}@example.org`,
  ])('is accepted as people have it: %s', (address) => {
    expect(isEmailAddress(address)).toBe(true);
  });
  it.each([
    '',
    'ada',
    '@example.org',
    'ada@',
    'ada@localhost',
    'ada@example.org\r\nBcc: eve@example.org',
    'ada@exa mple.org',
    'ada@example.org\r\n',
    'ada@exam\u00adple.org',
    'ada@exa%6dple.org',
    'ada@-example.org',
    'ada@example..org',
    '.ada@example.org',
    'ada..b@example.org',
    'ada@10.0.0.1',
    'ada@example.org,eve@example.org',
    'Ada <ada@example.org>',
    'ädä@example.org',
    `${'l'.repeat(65)}@example.org`,
    `ada@${'d'.repeat(64)}.org`,
  ])('is refused: %j', (address) => {
    expect(isEmailAddress(address)).toBe(false);
  });
});
