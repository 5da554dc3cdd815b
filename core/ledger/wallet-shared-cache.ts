import type { Redis } from 'ioredis';
import { READ_LIMITS } from '../../config/read-limits.ts';
import { defineScript } from '../infra/redis-script.ts';
import { type DatedWallet, encodeWallet } from './wallet-cache-value.ts';

/**
 * KEYS: of wallets. ARGV: the time, how long a value stands, how far clocks differ, then a value for each
 * key. A value takes the place of an older state of its wallet, of one that is damaged, and of one whose
 * time cannot be; never that of a later state. Returns how many were written.
 */
const PUT = defineScript(`
local now, ttl, skew = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function read(text)
  local seq, updated, at = string.match(text, '^%x+|(%d+)|(%d+)|(%d+)|')
  return tonumber(seq), tonumber(updated), tonumber(at)
end
local held = redis.call('MGET', unpack(KEYS))
local written = 0
for i = 1, #KEYS do
  local value, old, isOlder = ARGV[i + 3], held[i], true
  if old then
    local sum, rest = string.match(old, '^(%x+)|(.*)$')
    if sum and redis.sha1hex(KEYS[i] .. '\\n' .. rest) == sum then
      local seq, updated, at = read(old)
      local newSeq, newUpdated, newAt = read(value)
      if seq and at <= now + skew and at >= now - ttl then
        if seq ~= newSeq then isOlder = seq < newSeq
        elseif updated ~= newUpdated then isOlder = updated < newUpdated
        else isOlder = at < newAt end
      end
    end
  end
  if isOlder then
    redis.call('SET', KEYS[i], value, 'PX', ttl)
    written = written + 1
  end
end
return written
`);

/** Where the wallets of an installation stand in the cache's Redis. */
export function walletCacheKey(prefix: string, tenantId: string, walletId: string): string {
  return `${prefix}-cache:wallet:${tenantId}:${walletId}`;
}

/** Puts states of wallets there, unless later ones are; returns how many. Each has an expiry. */
export async function putWallets(
  redis: Redis,
  prefix: string,
  { wallets, nowMs }: { readonly wallets: readonly DatedWallet[]; readonly nowMs: number },
): Promise<number> {
  const keys = wallets.map(({ wallet }) => walletCacheKey(prefix, wallet.tenantId, wallet._id));
  const values = wallets.map((one, index) => encodeWallet(keys[index] ?? '', one));
  const { walletCacheMs, cacheSkewMs } = READ_LIMITS;
  const written = await PUT.run(redis, keys, [nowMs, walletCacheMs, cacheSkewMs, ...values]);
  return typeof written === 'number' ? written : 0;
}
