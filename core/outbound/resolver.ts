import { Resolver } from 'node:dns/promises';
import { LIMITS } from '../../config/limits.ts';

/** Every address of a host, A and AAAA; none when it has none or nobody answers. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

interface ResolverOptions {
  /** `address:port` of name servers; by default those of the system. */
  readonly servers?: readonly string[];
}

/** Asks name servers and nothing else: no hosts file, no search domains, no cache. */
export function createResolver({ servers }: ResolverOptions = {}): ResolveHost {
  const resolver = new Resolver({ timeout: LIMITS.dnsTimeoutMs, tries: LIMITS.dnsTriesMax });
  if (servers !== undefined) resolver.setServers(servers);
  return async (host) => {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  };
}
