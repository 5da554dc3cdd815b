import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { type Changes, changed } from '../kernel/changes.ts';
import { ok, refuse } from '../kernel/result.ts';
import { laterOf } from '../ledger/book.ts';
import type { Contacts, UserDoc } from '../ledger/documents.ts';
import { defineOperation } from '../operations/define.ts';
import { contactChanges, pushTargets, quietHours, userId } from '../operations/inputs.ts';

export const userUpdate = defineOperation({
  type: 'user.update',
  version: 1,
  mode: 'atomic',
  movesMoney: false,
  summary:
    'Changes contacts, notification preferences or status; null removes; a blocked user cannot pay',
  input: z
    .strictObject({
      userId,
      displayName: z.string().min(1).max(LIMITS.descriptionCharsMax).nullable().exactOptional(),
      contacts: contactChanges.nullable().exactOptional(),
      notifications: z
        .record(
          z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/, 'must be a channel, a category or an event'),
          z.boolean().nullable(),
        )
        .refine((prefs) => Object.keys(prefs).length <= 50, 'must have at most 50 entries')
        .nullable()
        .exactOptional(),
      pushTargets: pushTargets.nullable().exactOptional(),
      quietHours: quietHours.nullable().exactOptional(),
      status: z.enum(['active', 'blocked']).exactOptional(),
    })
    .refine((input) => Object.keys(input).length > 1, 'must change something'),
  ordering: (input) => ({ user: input.userId }),
  touches: (input) => ({
    users: [input.userId],
    ...(input.status !== undefined && { walletsOf: [input.userId] }),
  }),
  decide: (draft, input) => {
    const user = draft.user(input.userId);
    if (user === undefined) {
      return refuse('user_not_found', `User ${input.userId} does not exist`);
    }
    draft.putUser({ ...changedUser(user, input), updatedAt: draft.scope.at });
    if (input.status !== undefined && input.status !== user.status) {
      // Written into the wallets, so that a payment need not read the user.
      for (const wallet of draft.walletsOf(input.userId)) {
        draft.putWallet({
          ...wallet,
          ownerBlocked: input.status === 'blocked',
          updatedAt: laterOf(draft.scope.at, wallet.updatedAt),
        });
      }
      draft.emit(`user.${input.status === 'blocked' ? 'blocked' : 'unblocked'}`, {
        userId: input.userId,
      });
    }
    return ok(undefined);
  },
  describe: (input) => ({ userId: input.userId }),
});

type UserChanges = Changes<Omit<UserDoc, 'contacts' | 'notifications'>> & {
  readonly contacts?: Changes<Contacts> | null;
  readonly notifications?: Changes<Readonly<Record<string, boolean>>> | null;
};

/** Contacts and preferences one by one, all else as a whole. */
function changedUser(user: UserDoc, { userId: _id, ...changes }: UserChanges): UserDoc {
  const { contacts: reachedAt, notifications: wishes, ...replaced } = changes;
  return changed<UserDoc>(user, {
    ...replaced,
    ...(reachedAt !== undefined && {
      contacts: reachedAt && changed<Contacts>(user.contacts ?? {}, reachedAt),
    }),
    ...(wishes !== undefined && {
      notifications: wishes && changed(user.notifications ?? {}, wishes),
    }),
  });
}
