import { isIP } from 'node:net';
import { LIMITS } from '../../config/limits.ts';
import { kindOfAddress } from './addresses.ts';
import type { ResolveHost } from './resolver.ts';

/**
 * Keeps URLs that tenants hand us away from what only we can reach. It answers with the addresses
 * that were looked at, and the caller connects to one of those and to nothing else: a name that is
 * looked up a second time may have another answer by then.
 */
export interface UrlGuard {
  /** At registration and again before every attempt. Never rejects. */
  check(url: string): Promise<GuardVerdict>;
}

export type GuardVerdict = VettedUrl | RefusedUrl;

export interface VettedUrl {
  readonly ok: true;
  readonly url: URL;
  /** The only ones that may be connected to; IPv4 first. */
  readonly addresses: readonly string[];
}

export interface RefusedUrl {
  readonly ok: false;
  readonly code: RefusalCode;
  /** Fit for the tenant: it tells nothing about our network. */
  readonly detail: string;
  /** The URL itself is at fault, so that looking again is of no use. */
  readonly isLasting: boolean;
}

const REFUSALS = {
  url_malformed: { detail: 'The URL is malformed or too long', isLasting: true },
  url_scheme: { detail: 'The URL must begin with https://', isLasting: true },
  url_credentials: { detail: 'The URL must not hold a user or a password', isLasting: true },
  url_port: { detail: 'The port must be 443 or 8443', isLasting: true },
  url_address: { detail: 'The URL leads to an address that is not public', isLasting: true },
  host_address: { detail: 'The host has an address that is not public', isLasting: false },
  host_unknown: { detail: 'The host has no address', isLasting: false },
} as const;
type RefusalCode = keyof typeof REFUSALS;

const PORTS: ReadonlySet<string> = new Set(['', '443', '8443']);

export interface UrlGuardOptions {
  readonly resolve: ResolveHost;
  /** Development: this machine may be named, by http and with any port. */
  readonly allowLoopback: boolean;
}

export function createUrlGuard({ resolve, allowLoopback }: UrlGuardOptions): UrlGuard {
  return Object.freeze({
    check: async (text: string): Promise<GuardVerdict> => {
      const url = parse(text);
      if (url === undefined) return refusal('url_malformed');
      if (url.username !== '' || url.password !== '') return refusal('url_credentials');
      const host = hostOf(url);
      const isLiteral = isIP(host) !== 0 || isLocalName(host);
      if (!allowLoopback || !isLiteral) {
        const problem = problemOfForm(url);
        if (problem !== undefined) return refusal(problem);
      }
      const addresses = isLiteral ? literalAddresses(host) : await resolve(host);
      if (addresses.length === 0) return refusal('host_unknown');
      return vet({ url, addresses, isLiteral, allowLoopback });
    },
  });
}

interface Found {
  readonly url: URL;
  readonly addresses: readonly string[];
  readonly isLiteral: boolean;
  readonly allowLoopback: boolean;
}

/** One bad address spoils them all: which one a connection takes is not for the tenant to decide. */
function vet({ url, addresses, isLiteral, allowLoopback }: Found): GuardVerdict {
  const kinds = new Set(addresses.map(kindOfAddress));
  const isLoopback = kinds.size === 1 && kinds.has('loopback');
  if (isLoopback && allowLoopback && isLiteral) return { ok: true, url, addresses };
  if (kinds.size > 1 || !kinds.has('public')) {
    return refusal(isLiteral ? 'url_address' : 'host_address');
  }
  const problem = problemOfForm(url);
  if (problem !== undefined) return refusal(problem);
  return { ok: true, url, addresses: addresses.toSorted((a, b) => isIP(a) - isIP(b)) };
}

function problemOfForm(url: URL): RefusalCode | undefined {
  if (url.protocol !== 'https:') return 'url_scheme';
  return PORTS.has(url.port) ? undefined : 'url_port';
}

/** The parser has made every spelling of an IPv4 address (octal, hex, one number) the dotted one. */
function parse(text: string): URL | undefined {
  if (text.length > LIMITS.webhookUrlCharsMax || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  url.hash = '';
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
}

/** Without brackets and without the root's dot: as it is looked up, and named to TLS. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** RFC 6761: these are never asked of a name server. */
function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

function literalAddresses(host: string): readonly string[] {
  return isLocalName(host) ? ['127.0.0.1', '::1'] : [host];
}

function refusal(code: RefusalCode): RefusedUrl {
  return { ok: false, code, ...REFUSALS[code] };
}
