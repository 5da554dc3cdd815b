import type { Help } from './help-text.ts';

/** What codes mean with which an operation ends as `rejected`, `canceled` or `expired`. */
export const OUTCOME_HELP: Readonly<Record<string, Help>> = {
  user_exists: {
    meaning: 'There is a user of that id already.',
    action: 'Use the user that is there, or another id.',
  },
  user_not_found: {
    meaning: 'There is no user of that id when the operation settles.',
    action: 'Create the user first, then ask under a new key.',
  },
  user_blocked: {
    meaning: 'The user can neither pay nor be paid.',
    action: 'Unblock the user with `user.update`, then ask under a new key.',
  },
  wallet_exists: {
    meaning: 'The user has a wallet in that currency already.',
    action: 'Use that wallet.',
  },
  wallet_not_found: {
    meaning: 'The user has no wallet in that currency.',
    action: 'Open one with `wallet.open`, then ask under a new key.',
  },
  wallet_frozen: {
    meaning: 'The wallet can neither pay nor be paid while it is frozen.',
    action: 'Set its status to `active` with `wallet.update`, then ask under a new key.',
  },
  wallet_closed: {
    meaning: 'The wallet is closed.',
    action: 'Activate it with `wallet.update`, or use another one.',
  },
  wallet_not_empty: {
    meaning: 'A wallet is closed only when nothing is on it and no hold is open.',
    action: 'Move the balance and release the holds first.',
  },
  insufficient_funds: {
    meaning:
      'The available balance (balance − locked + overdraft limit) is smaller than the amount.',
    action: 'Ask for less, or credit the wallet and ask under a new key.',
  },
  insufficient_bonus: {
    meaning: 'The bonus balance is smaller than the amount.',
    action: 'Ask for less.',
  },
  overdraft_in_use: {
    meaning: 'The wallet is further in the red than the new limit would allow.',
    action: 'Credit the wallet first, or set a higher limit.',
  },
  balance_limit: {
    meaning: 'The balance would be larger than the largest one that is kept.',
    action: 'Spread the money over several wallets.',
  },
  transfer_not_found: {
    meaning: 'There is no transfer of that id for this tenant.',
    action: 'Take `result.transferId` of the operation that made the transfer.',
  },
  transfer_reversed: {
    meaning: 'Less is left of the transfer than was to be reversed.',
    action: 'Read the transfer: `amount` − `reversedAmount` is what is left.',
  },
  hold_not_found: {
    meaning: 'There is no hold of that id for this tenant.',
    action: 'Take `result.holdId` of the operation that placed the hold.',
  },
  hold_not_open: {
    meaning: 'The hold was captured, released or has run out.',
    action: 'Place a new hold.',
  },
  hold_exceeded: {
    meaning: 'More was to be captured than is left of the hold.',
    action: 'Read the hold: `remaining` is what is left.',
  },
  hold_expired: {
    meaning: 'The hold ran out before it was captured; its funds were given back.',
    action: 'Place a new hold.',
  },
  hold_managed: {
    meaning: 'The hold belongs to an operation of several steps, which alone ends it.',
    action: 'Wait for that operation, or cancel it.',
  },
  same_wallet: {
    meaning: 'Money cannot go from a wallet to itself.',
    action: 'Name two different users.',
  },
  precondition_available: {
    meaning: 'When it came to it, less was available than `ifAvailableAtLeast` said.',
    action: 'Read the wallet, decide anew, and ask under a new key.',
  },
  precondition_seq: {
    meaning:
      'The wallet has entries that you had not seen: `ifWalletSeq` is not its number any more.',
    action: 'Read the wallet, decide anew, and ask under a new key.',
  },
  batch_item_rejected: {
    meaning:
      'One operation of the batch was refused, so none of them happened; the detail says which.',
    action: 'Correct or leave out that item, and send the batch under a new key.',
  },
  deadline_passed: {
    meaning: 'The operation could not run before `preconditions.expiresAt`.',
    action: 'If you still want it, ask under a new key with a later deadline.',
  },
  canceled: {
    meaning: 'It was canceled on request; what it had done was taken back.',
    action: 'Nothing.',
  },
  payment_declined: {
    meaning: 'The payment provider said no. Nothing was moved, or it was moved back.',
    action: 'Have the customer use another instrument, and ask under a new key.',
  },
  risk_declined: {
    meaning: 'The risk check refused the withdrawal. Funds that were set aside are free again.',
    action: 'Talk to whoever decides about risk. The same request is refused again.',
  },
  tenant_exists: {
    meaning: 'There is a tenant of that id already.',
    action: 'Use another id.',
  },
  key_exists: {
    meaning: 'The id of the API key is taken.',
    action: 'Ask under a new key, with another id.',
  },
  tenant_forbidden: {
    meaning: 'Tenants are set up by the default tenant alone.',
    action: 'Use a key of the default tenant.',
  },
  provider_unknown: {
    meaning: 'No process of this installation has a payment provider of that name.',
    action: 'Use a provider that is configured, or have it configured.',
  },
};
