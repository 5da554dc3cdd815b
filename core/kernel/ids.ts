import { createHash, randomBytes, randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import { systemClock } from './clock.ts';

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

const ID_BYTES = 16;
/** Random bytes are drawn for many ids at a time: a draw costs as much as the rest of an id. */
const random = new Uint8Array(256 * ID_BYTES);
let randomUsed = random.length;
const bytes = Buffer.alloc(ID_BYTES);
/** Ids of one process ascend, also within a millisecond and when the clock is set back. */
const last = { msecs: 0, seq: 0 };

function body(): string {
  if (randomUsed === random.length) {
    randomFillSync(random);
    randomUsed = 0;
  }
  const drawn = random.subarray(randomUsed, randomUsed + ID_BYTES);
  randomUsed += ID_BYTES;
  const now = systemClock.now();
  if (now > last.msecs) {
    last.msecs = now;
    last.seq = ((drawn[0] ?? 0) << 16) | ((drawn[1] ?? 0) << 8) | (drawn[2] ?? 0);
  } else {
    last.seq += 1;
  }
  return v7({ random: drawn, ...last }, bytes).toString('hex');
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

/** Ids of requests that bring none: one per call, cheaper than `newId`, in order per process. */
export function createRequestIds(): () => Id<'req'> {
  const prefix = newToken();
  let count = 0;
  return () => {
    count += 1;
    return `req_${prefix}-${count.toString(36)}`;
  };
}
