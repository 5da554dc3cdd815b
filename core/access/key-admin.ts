import { hash } from 'node:crypto';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import type { Deed, Doer } from '../audit/audit.ts';
import { auditLine } from '../audit/audit.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import type { DatabaseTime } from '../infra/database-clock.ts';
import { faultOf } from '../infra/database-errors.ts';
import { type Json, canonicalHash } from '../kernel/canonical.ts';
import { AppError } from '../kernel/errors.ts';
import { newSecret } from '../kernel/ids.ts';
import { type ApiKeyDoc, type Principal, hashSecret, mintApiKey, textOf } from './api-key.ts';
import type { ApiKeyStore, KeyMove } from './api-key-store.ts';
import { type Scope, notHeld } from './scopes.ts';

/** Who changes keys: with which rights, and as whom the audit names it. */
export interface KeyKeeper extends Doer, Pick<Principal, 'scopes' | 'expiresAt'> {}

export interface KeyWish {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date;
}

/** A key, with the text that is shown this once; absent where it has been shown already. */
export interface WithText {
  readonly key: ApiKeyDoc;
  readonly text?: string;
}

/**
 * Keys of a tenant, made and ended by people and programs. Each change stands in the audit, in one
 * transaction with it. Nobody makes, renews or ends a key that may do more than they may themselves.
 */
export interface KeyAdmin {
  /**
   * Under one idempotency key one API key: a repeat gets it without its text.
   *
   * @throws AppError `forbidden`, `invalid_request`, `limit_reached` or `idempotency_conflict`.
   */
  create(keeper: KeyKeeper, wish: KeyWish, idempotencyKey: string): Promise<WithText>;
  /**
   * Another secret under the same id. The one before is good for `graceSeconds` more, and none for
   * longer than that: 0 ends them all. @throws as above, and `not_found` or `illegal_state`.
   */
  rotate(
    keeper: KeyKeeper,
    id: string,
    options: { readonly graceSeconds: number; readonly idempotencyKey: string },
  ): Promise<WithText>;
  /** Repeating it is harmless. @throws AppError `not_found` or `forbidden`. */
  revoke(keeper: KeyKeeper, id: string): Promise<ApiKeyDoc>;
}

interface KeyAdminDeps {
  readonly keys: ApiKeyStore;
  readonly audit: Pick<AuditStore, 'add'>;
  readonly databaseTime: () => Promise<DatabaseTime>;
  /** Told of every change: whoever has the key in memory reads it again. */
  readonly onChange: (keyId: string) => void;
}

export function createKeyAdmin({ keys, audit, databaseTime, onChange }: KeyAdminDeps): KeyAdmin {
  const change = async (
    keeper: KeyKeeper,
    { id, action }: { readonly id: string; readonly action: 'key.rotate' | 'key.revoke' },
    become: (key: ApiKeyDoc, now: Date) => KeyMove,
  ): Promise<KeyMove> => {
    const { tenantId } = keeper;
    const moved = await keys.change(
      { _id: id, tenantId },
      (key, now) => {
        refuseStronger(keeper, key.scopes, `The key ${id}`);
        return become(key, now);
      },
      async (session, before, after) => {
        const { now } = await databaseTime();
        const deed: Deed = { action, targetId: id, before: traits(before), after: traits(after) };
        await audit.add([auditLine(doerOf(keeper), deed, now)], session);
      },
    );
    if (moved === undefined) throw new AppError('not_found', 'There is no such key');
    onChange(id);
    return moved;
  };

  return Object.freeze({
    create: async (keeper, wish, idempotencyKey) => {
      const { tenantId } = keeper;
      refuseStronger(keeper, wish.scopes, 'The new key');
      const id = tokenOf([tenantId, 'create', idempotencyKey]);
      const requestHash = canonicalHash({
        name: wish.name,
        scopes: [...wish.scopes],
        expiresAt: wish.expiresAt?.toISOString() ?? null,
      });
      const stands = await keys.find(tenantId, id);
      if (stands !== undefined) return { key: sameRequest(stands, requestHash) };
      const { now } = await databaseTime();
      refuseEnd(keeper, wish.expiresAt, now);
      const max = ACCESS_LIMITS.keysMax;
      if ((await keys.countOpen(tenantId, max)) >= max) {
        throw new AppError('limit_reached', `A tenant may have ${max} open keys`);
      }
      const { doc, text } = mintApiKey({
        ...wish,
        ...{ id, tenantId, requestHash, at: now, createdBy: keeper.actor },
      });
      const deed: Deed = { action: 'key.create', targetId: id, after: traits(doc) };
      try {
        await keys.insert(doc, async (session) =>
          audit.add([auditLine(doerOf(keeper), deed, now)], session),
        );
      } catch (error) {
        // The same request, a moment earlier.
        const made = faultOf(error) === 'duplicate-key' ? await keys.find(tenantId, id) : undefined;
        if (made === undefined) throw error;
        return { key: sameRequest(made, requestHash) };
      }
      onChange(id);
      return { key: doc, text };
    },
    rotate: async (keeper, id, { graceSeconds, idempotencyKey }) => {
      const secret = newSecret();
      const rotation = {
        token: tokenOf([keeper.tenantId, 'rotate', id, idempotencyKey]),
        requestHash: canonicalHash({ graceSeconds }),
      };
      const { key, isNew } = await change(keeper, { id, action: 'key.rotate' }, (before, now) => {
        const known = before.rotations?.find(({ token }) => token === rotation.token);
        if (known !== undefined) {
          if (known.requestHash !== rotation.requestHash) throw conflict();
          return { key: before, isNew: false };
        }
        const rotations = [...(before.rotations ?? []), rotation].slice(
          -ACCESS_LIMITS.keyRotationsKept,
        );
        const renewed = rotated(before, { hash: hashSecret(secret), graceSeconds, now });
        return { key: { ...renewed, rotations }, isNew: true };
      });
      return isNew ? { key, text: textOf(id, secret) } : { key };
    },
    revoke: async (keeper, id) => {
      const { key } = await change(keeper, { id, action: 'key.revoke' }, (before, now) =>
        before.revokedAt === undefined
          ? { key: { ...before, revokedAt: now }, isNew: true }
          : { key: before, isNew: false },
      );
      return key;
    },
  } satisfies KeyAdmin);
}

interface Rotation {
  readonly hash: string;
  readonly graceSeconds: number;
  readonly now: Date;
}

/**
 * The key with its new secret. Pure.
 *
 * @throws AppError `illegal_state` for one that is revoked or over, `limit_reached` while too many old
 *   secrets are good.
 */
function rotated(key: ApiKeyDoc, { hash: fresh, graceSeconds, now }: Rotation): ApiKeyDoc {
  if (key.revokedAt !== undefined) throw new AppError('illegal_state', 'The key is revoked');
  if (key.expiresAt !== undefined && key.expiresAt <= now) {
    throw new AppError('illegal_state', 'The key is expired');
  }
  const end = new Date(now.getTime() + graceSeconds * 1_000);
  const old = [...(key.oldSecrets ?? []), { hash: key.hash, until: end }]
    .map(({ hash: before, until }) => ({ hash: before, until: until < end ? until : end }))
    .filter(({ until }) => until > now);
  const max = ACCESS_LIMITS.keySecretsMax;
  if (old.length > max) {
    const detail = `At most ${max} old secrets of a key are good at a time; a grace of 0 ends them`;
    throw new AppError('limit_reached', detail);
  }
  const { oldSecrets: _ended, ...rest } = key;
  return { ...rest, hash: fresh, rotatedAt: now, ...(old.length > 0 && { oldSecrets: old }) };
}

function refuseStronger(keeper: KeyKeeper, scopes: readonly Scope[], what: string): void {
  const beyond = notHeld(keeper.scopes, scopes);
  const [first] = beyond;
  if (first === undefined) return;
  const detail = `${what} may do more than you may: ${beyond.join(', ')}`;
  throw new AppError('forbidden', detail, { context: { scope: first } });
}

/** A key that ends makes none that go on after it. */
function refuseEnd(keeper: KeyKeeper, expiresAt: Date | undefined, now: Date): void {
  const own = keeper.expiresAt;
  const detail =
    expiresAt !== undefined && expiresAt <= now
      ? 'has already passed'
      : own !== undefined && (expiresAt === undefined || expiresAt > own)
        ? `must be there and not after ${own.toISOString()}, when your own key ends`
        : undefined;
  if (detail === undefined) return;
  const errors = [{ pointer: '/expiresAt', detail }];
  throw new AppError('invalid_request', `The end of the key ${detail}`, { errors });
}

function doerOf({ tenantId, actor, correlationId }: KeyKeeper): Doer {
  return { tenantId, actor, ...(correlationId !== undefined && { correlationId }) };
}

/** What the audit shows of a key: no hashes. */
function traits(key: ApiKeyDoc): Json {
  const { name, scopes, expiresAt, revokedAt, rotatedAt, oldSecrets = [] } = key;
  return {
    name,
    scopes: [...scopes],
    ...(expiresAt !== undefined && { expiresAt: expiresAt.toISOString() }),
    ...(rotatedAt !== undefined && { rotatedAt: rotatedAt.toISOString() }),
    ...(oldSecrets.length > 0 && {
      oldSecretsUntil: oldSecrets.map(({ until }) => until.toISOString()),
    }),
    ...(revokedAt !== undefined && { revokedAt: revokedAt.toISOString() }),
  };
}

function sameRequest(key: ApiKeyDoc, requestHash: string): ApiKeyDoc {
  if (key.requestHash === requestHash) return key;
  throw conflict();
}

function conflict(): AppError {
  const detail = 'The key was used for another request; use a key of its own for each';
  return new AppError('idempotency_conflict', detail);
}

/** Also the id of the API key that is made: 128 bits, and no secret. */
function tokenOf(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(['key', ...parts])).slice(0, 32);
}
