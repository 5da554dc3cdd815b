import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { ok, refuse } from '../kernel/result.ts';
import { defineOperation } from '../saga/define.ts';
import { contacts, pushTargets, quietHours, userId } from './inputs.ts';

export const userUpdate = defineOperation({
  type: 'user.update',
  version: 1,
  mode: 'atomic',
  movesMoney: false,
  summary: 'Changes contacts, notification preferences or status; a blocked user cannot pay',
  input: z
    .strictObject({
      userId,
      displayName: z.string().min(1).max(LIMITS.descriptionCharsMax).exactOptional(),
      contacts: contacts.exactOptional(),
      notifications: z
        .record(z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/), z.boolean())
        .refine((prefs) => Object.keys(prefs).length <= 50, 'must have at most 50 entries')
        .exactOptional(),
      pushTargets: pushTargets.exactOptional(),
      quietHours: quietHours.exactOptional(),
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
    const { userId: _id, contacts: reachedAt, notifications: wishes, ...replaced } = input;
    draft.putUser({
      ...user,
      ...replaced,
      ...(reachedAt !== undefined && { contacts: { ...user.contacts, ...reachedAt } }),
      ...(wishes !== undefined && { notifications: { ...user.notifications, ...wishes } }),
      updatedAt: draft.scope.at,
    });
    if (input.status !== undefined && input.status !== user.status) {
      // Written into the wallets, so that a payment need not read the user.
      for (const wallet of draft.walletsOf(input.userId)) {
        draft.putWallet({
          ...wallet,
          ownerBlocked: input.status === 'blocked',
          updatedAt: draft.scope.at,
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
