import { describe, expect, it } from 'vitest';
import { kindOfAddress } from '../../../../core/outbound/addresses.ts';
import { createUrlGuard } from '../../../../core/outbound/url-guard.ts';

const PUBLIC = '93.184.215.14';
const PUBLIC_6 = '2606:2800:21f:cb07::1';

const looked: string[] = [];
const HOSTS: Readonly<Record<string, readonly string[]>> = {
  'shop.example': [PUBLIC, PUBLIC_6],
  'six.example': [PUBLIC_6],
  'xn--bcher-kva.example': [PUBLIC],
  '127.0.0.1.nip.io': ['127.0.0.1'],
  '10-0-0-1.nip.io': ['10.0.0.1'],
  'mixed.example': [PUBLIC, '192.168.1.1'],
  'mixed6.example': [PUBLIC, 'fd00::1'],
  'mapped.example': ['::ffff:169.254.169.254'],
  'metadata.google.internal': ['169.254.169.254'],
  'zero.example': ['0.0.0.0'],
};
const resolve = async (host: string): Promise<readonly string[]> => {
  looked.push(host);
  return Promise.resolve(HOSTS[host] ?? []);
};
const strict = createUrlGuard({ resolve, allowLoopback: false });
const lenient = createUrlGuard({ resolve, allowLoopback: true });

const codeOf = async (url: string, guard = strict): Promise<string> => {
  const verdict = await guard.check(url);
  return verdict.ok ? 'ok' : verdict.code;
};

/** Every way to write an address that is not the public's, with https and the usual port. */
const PRIVATE_LITERALS = [
  ...['127.0.0.1', '127.1', '127.0.1', '0x7f000001', '0x7f.1', '2130706433', '0177.0.0.1'],
  ...['017700000001', '0x7F.0x0.0x0.0x1', '127.0.0.1.', '①②⑦.⓪.⓪.①', '127。0。0。1', '%31%32%37.1'],
  ...['0.0.0.0', '0', '0x0', '0.1.2.3', '255.255.255.255', '224.0.0.1', '240.0.0.1'],
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.254', '192.168.0.1', '192.168.1'],
  ...['100.64.0.1', '100.127.255.254', '169.254.169.254', '0xa9fea9fe', '2852039166'],
  ...['192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '192.88.99.1'],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
  ...['[::ffff:10.0.0.1]', '[::ffff:93.184.215.14]', '[::127.0.0.1]', '[::7f00:1]', '[::2:1]'],
  ...['[64:ff9b::7f00:1]', '[64:ff9b::a9fe:a9fe]', '[64:ff9b:1::1]', '[2002:7f00:1::]'],
  ...['[2002:a00:1::1]', '[2001::1]', '[fc00::1]', '[fd12:3456::1]', '[fe80::1]', '[febf::1]'],
  ...['[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[100::1]', '[3fff::1]', '[5f00::1]', '[4000::1]'],
];

describe('a URL that a tenant hands us', () => {
  it.each(PRIVATE_LITERALS)('may not lead to %s', async (host) => {
    looked.length = 0;
    expect(await codeOf(`https://${host}/hook`)).toBe('url_address');
    expect(looked).toEqual([]);
  });

  it.each([...['localhost', 'LOCALHOST', 'localhost.', 'foo.localhost', 'a.b.LocalHost.']])(
    'may not lead to %s, whatever a name server says',
    async (host) => {
      looked.length = 0;
      expect(await codeOf(`https://${host}/hook`)).toBe('url_address');
      expect(looked).toEqual([]);
    },
  );

  it.each([
    ...['127.0.0.1.nip.io', '10-0-0-1.nip.io', '127.0.0.1.NIP.io', '127.0.0.1.nip.io.'],
    ...['mixed.example', 'mixed6.example', 'mapped.example', 'zero.example'],
    ...['metadata.google.internal', 'METADATA.google.internal.'],
  ])('may not name a host that has an address of that kind: %s', async (host) => {
    expect(await strict.check(`https://${host}/`)).toMatchObject({
      ...{ ok: false, code: 'host_address', isLasting: false },
    });
  });

  it('is refused without a word about the addresses behind it', async () => {
    const verdict = await strict.check('https://metadata.google.internal/');
    expect(JSON.stringify(verdict)).not.toContain('169');
  });

  it.each([
    ['http://shop.example/', 'url_scheme'],
    ['HTTP://shop.example/', 'url_scheme'],
    ['ftp://shop.example/', 'url_malformed'],
    ['file:///etc/passwd', 'url_malformed'],
    ['gopher://shop.example/', 'url_malformed'],
    ['javascript:alert(1)', 'url_malformed'],
    ['//shop.example/', 'url_malformed'],
    ['shop.example', 'url_malformed'],
    ['', 'url_malformed'],
    ['https://', 'url_malformed'],
    ['https://shop.example:99999/', 'url_malformed'],
    ['https://shop example/', 'url_malformed'],
    ['https://[::1/', 'url_malformed'],
    ['https://[fe80::1%25eth0]/', 'url_malformed'],
    ['https://1.2.3.4.5/', 'url_malformed'],
    ['https://256.1.1.1/', 'url_malformed'],
    [`https://shop.example/${'x'.repeat(2_048)}`, 'url_malformed'],
    ['https://user@shop.example/', 'url_credentials'],
    ['https://user:pass@shop.example/', 'url_credentials'],
    ['https://shop.example@127.0.0.1/', 'url_credentials'],
    ['https://shop.example%40127.0.0.1/', 'url_malformed'],
    ['https://127.0.0.1\\@shop.example/', 'url_address'],
    ['https://127.0.0.1#@shop.example/', 'url_address'],
    ['https://shop.example:6379/', 'url_port'],
    ['https://shop.example:27017/', 'url_port'],
    ['https://shop.example:80/', 'url_port'],
    ['https://shop.example:22/', 'url_port'],
    ['https://shop.example:0/', 'url_port'],
    ['https://nowhere.example/', 'host_unknown'],
  ])('%j is refused: %s', async (url, code) => {
    expect(await codeOf(url)).toBe(code);
  });

  it('with a forbidden port costs no look-up', async () => {
    looked.length = 0;
    await codeOf('https://shop.example:6379/');
    expect(looked).toEqual([]);
  });

  it.each([
    ['https://shop.example/hook?a=1', 'shop.example'],
    ['https://SHOP.Example:443/', 'shop.example'],
    ['https://shop.example:8443/', 'shop.example'],
    ['https://shop.example./', 'shop.example'],
    ['https://bücher.example/', 'xn--bcher-kva.example'],
    ['https://six.example/', 'six.example'],
  ])('%s passes, and is looked up as %s', async (url, host) => {
    looked.length = 0;
    expect(await codeOf(url)).toBe('ok');
    expect(looked).toEqual([host]);
  });

  it('passes with all its addresses, and with no other', async () => {
    const verdict = await strict.check('https://shop.example/hook');
    expect(verdict).toMatchObject({ ok: true, addresses: [PUBLIC, PUBLIC_6] });
    expect(await strict.check(`https://${PUBLIC}/`)).toMatchObject({ addresses: [PUBLIC] });
    expect(await strict.check(`https://[${PUBLIC_6}]/`)).toMatchObject({ addresses: [PUBLIC_6] });
  });
});

describe('in development, where it may be allowed', () => {
  it.each([
    'http://127.0.0.1:8025/x',
    'http://localhost:3000/',
    'https://[::1]:9000/',
    'http://127.1/',
  ])('this machine is reached: %s', async (url) => {
    expect(await codeOf(url, lenient)).toBe('ok');
  });

  it.each([
    ['http://shop.example/', 'url_scheme'],
    [`http://${PUBLIC}/`, 'url_scheme'],
    [`https://${PUBLIC}:6379/`, 'url_port'],
    ['http://10.0.0.1/', 'url_address'],
    ['http://169.254.169.254/', 'url_address'],
    ['http://[::ffff:127.0.0.1]/', 'url_address'],
    ['http://0.0.0.0/', 'url_address'],
    ['https://127.0.0.1.nip.io/', 'host_address'],
    ['https://mixed.example/', 'host_address'],
    ['http://user@127.0.0.1/', 'url_credentials'],
  ])('and nothing more: %s is refused: %s', async (url, code) => {
    expect(await codeOf(url, lenient)).toBe(code);
  });
});

describe('the kind of an address', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.1', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.1', 'public'],
    ['2a00:1450:4001::1', 'public'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'other'],
    ['nonsense', 'other'],
    ['', 'other'],
  ])('%s: %s', (address, kind) => {
    expect(kindOfAddress(address)).toBe(kind);
  });
});
