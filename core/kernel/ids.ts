import { createHash, randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

/**
 * Ids are a prefix plus a time-sortable body (UUIDv7, RFC 9562, as 32 hex digits). Whatever a
 * retry can repeat has an id derived from its operation instead, so that a unique index is the
 * last fence. No `:` anywhere: BullMQ forbids it in job ids.
 */
export type Id<P extends string> = `${P}_${string}`;
export type OperationId = Id<'op'>;
export type WalletId = Id<'wal'>;
export type TransferId = Id<'trf'>;
export type HoldId = Id<'hld'>;

const BODY = /^[0-9a-f]{32}$/;
/** What an operation creates may be one of several (a batch): `<body>` or `<body>-<item>`. */
const DERIVED_BODY = /^([0-9a-f]{32})(-\d{1,4})?$/;

function body(): string {
  return v7().replaceAll('-', '');
}

export function newId<P extends string>(prefix: P): Id<P> {
  return `${prefix}_${body()}`;
}

export function newOperationId(): OperationId {
  return newId('op');
}

export function isOperationId(text: string): text is OperationId {
  return text.startsWith('op_') && BODY.test(text.slice(3));
}

/** Ids that were worked out lately: a settlement asks for the same ones several times. */
const WALLET_IDS_MAX = 50_000;
const walletIds = new Map<string, WalletId>();

/** The wallet of a user in a currency; deterministic, so that two creations cannot both succeed. */
export function walletIdOf(tenantId: string, userId: string, currency: string): WalletId {
  const text = `${tenantId}\n${userId}\n${currency}`;
  const known = walletIds.get(text);
  if (known !== undefined) return known;
  const id: WalletId = `wal_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
  if (walletIds.size >= WALLET_IDS_MAX) walletIds.clear();
  walletIds.set(text, id);
  return id;
}

/** The id of what an operation creates: `leaf` is its origin (`op_…` or, in a batch, `op_…-3`). */
export function derivedId<P extends 'trf' | 'hld'>(prefix: P, origin: string): Id<P> {
  return `${prefix}_${origin.slice(3)}`;
}

/** The operation that created a transfer or a hold, or undefined when the id is not of that form. */
export function originOf(prefix: 'trf' | 'hld', id: string): OperationId | undefined {
  if (!id.startsWith(`${prefix}_`)) return undefined;
  const match = DERIVED_BODY.exec(id.slice(4));
  return match?.[1] === undefined ? undefined : `op_${match[1]}`;
}

/** 32 random bytes as base64url: the secret half of an API key. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Short random hex for process identities and tokens. */
export function newToken(): string {
  return randomBytes(8).toString('hex');
}
