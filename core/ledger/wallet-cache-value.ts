import { hash } from 'node:crypto';
import { z } from 'zod';
import { READ_LIMITS } from '../../config/read-limits.ts';
import type { WalletId } from '../kernel/ids.ts';
import type { WalletDoc } from './documents.ts';

/** A wallet, and when it was known to be the present one (database time). */
export interface DatedWallet {
  readonly wallet: WalletDoc;
  readonly atMs: number;
}

/**
 * As it stands in Redis: `<sum>|<seq>|<updated>|<at>|<fields as JSON>`. The sum is of the key and
 * everything behind it, so that neither garbage nor another wallet's value passes for this one's.
 */
export function encodeWallet(key: string, { wallet, atMs }: DatedWallet): string {
  const rest = `${wallet.seq}|${wallet.updatedAt.getTime()}|${atMs}|${JSON.stringify(fieldsOf(wallet))}`;
  return `${sumOf(key, rest)}|${rest}`;
}

function sumOf(key: string, rest: string): string {
  return hash('sha1', `${key}\n${rest}`);
}

function fieldsOf({
  seq: _seq,
  updatedAt: _updated,
  ...wallet
}: WalletDoc): z.input<typeof fields> {
  return {
    ...wallet,
    balance: String(wallet.balance),
    bonusBalance: String(wallet.bonusBalance),
    lockedBalance: String(wallet.lockedBalance),
    overdraftLimit: String(wallet.overdraftLimit),
    totalCredited: String(wallet.totalCredited),
    totalDebited: String(wallet.totalDebited),
    createdAt: wallet.createdAt.getTime(),
  };
}

const minor = z
  .string()
  .regex(/^-?\d{1,19}$/)
  .transform(BigInt);
const instant = z.int().transform((ms) => new Date(ms));
const walletId = z.custom<WalletId>((id) => typeof id === 'string' && id.startsWith('wal_'));
const fields = z.strictObject({
  _id: walletId,
  tenantId: z.string(),
  userId: z.string(),
  currency: z.string(),
  balance: minor,
  bonusBalance: minor,
  lockedBalance: minor,
  overdraftLimit: minor,
  status: z.enum(['active', 'frozen', 'closed']),
  ownerBlocked: z.boolean(),
  totalCredited: minor,
  totalDebited: minor,
  createdAt: instant,
});

const VALUE = /^([0-9a-f]{40})\|((\d{1,15})\|(\d{1,15})\|(\d{1,15})\|(\{.*))$/s;

interface Expected {
  readonly key: string;
  readonly tenantId: string;
  readonly id: string;
  readonly nowMs: number;
}

/** What a text says, unless it is damaged, another's, or of a time that cannot be or is over. */
export function decodeWallet(
  text: string,
  { key, tenantId, id, nowMs }: Expected,
): DatedWallet | undefined {
  const [, sum, rest = '', seq, updated, at, json = ''] = VALUE.exec(text) ?? [];
  if (sum === undefined || sumOf(key, rest) !== sum) return undefined;
  const atMs = integer(at);
  if (!isPresent(atMs, nowMs)) return undefined;
  const parsed = fields.safeParse(jsonOf(json));
  if (!parsed.success) return undefined;
  const version = { seq: integer(seq), updatedAt: new Date(integer(updated)) };
  const wallet: WalletDoc = { ...parsed.data, ...version };
  return wallet._id === id && wallet.tenantId === tenantId ? { wallet, atMs } : undefined;
}

function integer(text = ''): number {
  return Number.parseInt(text, 10);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Nothing from a future beyond what clocks differ by, and nothing that is too old. */
export function isPresent(atMs: number, nowMs: number): boolean {
  return atMs <= nowMs + READ_LIMITS.cacheSkewMs && atMs >= nowMs - READ_LIMITS.walletCacheMs;
}

/** Which of two is the later state of a wallet; what changes no entry is told apart by its time. */
export function isLater(one: DatedWallet, other: DatedWallet): boolean {
  const { wallet: a } = one;
  const { wallet: b } = other;
  if (a.seq !== b.seq) return a.seq > b.seq;
  const [updated, before] = [a.updatedAt.getTime(), b.updatedAt.getTime()];
  return updated === before ? one.atMs > other.atMs : updated > before;
}
