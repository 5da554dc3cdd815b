import type { Help } from './help-text.ts';

/** What codes mean with which a request is refused before anything is stored, or that are ours. */
export const REQUEST_HELP: Readonly<Record<string, Help>> = {
  invalid_request: {
    meaning:
      'A field, a parameter of the query or of the path is missing, has the wrong form, or is not ' +
      'known here. `errors` names each of them.',
    action: 'Correct what `errors` points at. The same request is refused again.',
  },
  invalid_json: {
    meaning: 'The body cannot be parsed; `errors` says at which character.',
    action: 'Serialise the body with a JSON library rather than by hand.',
  },
  invalid_encoding: {
    meaning: 'The body holds bytes or text that are not UTF-8.',
    action: 'Send UTF-8. Lone surrogates are text that UTF-8 cannot carry.',
  },
  invalid_cursor: {
    meaning: 'The cursor is not one that this list has handed out, or was changed on the way.',
    action: 'Send `nextCursor` unchanged to the list that it came from, or start without a cursor.',
  },
  invalid_header: {
    meaning: 'A header has a value that cannot be taken: the detail names it.',
    action: 'Correct or leave out the header.',
  },
  idempotency_key_required: {
    meaning: 'Every write names itself with an `Idempotency-Key`, so that repeating it is safe.',
    action: 'Make one key per thing that you want to happen, store it, and send it with every try.',
  },
  idempotency_key_invalid: {
    meaning: 'The key is empty, too long, not printable ASCII, or there twice.',
    action: 'Use 1 to 255 printable ASCII characters; a UUID does.',
  },
  unknown_operation_type: {
    meaning: 'There is no operation of the `type` that was sent.',
    action: 'Use one of the types that the detail lists.',
  },
  too_deep: {
    meaning: 'The JSON is nested more deeply than anything that is taken here.',
    action: 'Send flatter JSON.',
  },
  body_too_large: {
    meaning: 'The body has more bytes than a request may have.',
    action: 'Split it: a bulk request takes up to 1,000 operations, and there may be many of them.',
  },
  unsupported_media_type: {
    meaning: 'The `Content-Type` or `Content-Encoding` is not taken here.',
    action: 'Send `Content-Type: application/json` in UTF-8, without `Content-Encoding`.',
  },
  expectation_failed: {
    meaning: 'The `Expect` header asks for something that is not known here.',
    action: 'Leave the header out; `100-continue` is the only expectation that can be met.',
  },
  unauthenticated: {
    meaning:
      'There is no API key in the request, or not one that is valid: wrong, revoked, or of a ' +
      'tenant that is shut.',
    action:
      'Send `Authorization: Bearer slk_…` with a key that is in use. Trying again does not help.',
  },
  forbidden: {
    meaning: 'The key is valid and lacks the scope that the detail names.',
    action: 'Use a key with that scope, or have the scope added.',
  },
  tenant_suspended: {
    meaning: 'The key is valid, and its tenant is suspended: none of its keys may do anything.',
    action: 'Ask whoever runs the platform. What was accepted before is settled all the same.',
  },
  tenant_closed: {
    meaning: 'The key is valid, and its tenant is closed for good.',
    action: 'Use a key of another tenant.',
  },
  identity_unavailable: {
    meaning: 'The issuer of tokens does not give its keys, so tokens cannot be checked now.',
    action: 'Send the same request again in a few seconds, or with an API key. Nothing was done.',
  },
  route_not_found: {
    meaning:
      'There is no endpoint at this path. Paths are case-sensitive and have no `/` at the end.',
    action: 'Compare the path with the reference.',
  },
  not_found: {
    meaning: 'The resource does not exist, or belongs to another tenant, which is the same to you.',
    action: 'Check the id and the key. What an operation creates is there once it has succeeded.',
  },
  tenant_not_found: {
    meaning:
      'An operator’s session names a tenant in `Sluice-Tenant` that is not there, or not open. ' +
      'Keys are of one tenant and never get this.',
    action: 'Name another tenant; the console lists them.',
  },
  method_not_allowed: {
    meaning: 'The path exists and does not have this method; `Allow` lists those that it has.',
    action: 'Use one of the methods in `Allow`.',
  },
  idempotency_conflict: {
    meaning:
      'The key was used before, with another request. `errors` names the fields that differ.',
    action: 'Find out which of the two you meant. For something new, use a new key.',
  },
  not_cancelable: {
    meaning: 'The operation is over, or past its point of no return.',
    action: 'Read the operation. To undo what has happened, ask for the opposite (a reversal).',
  },
  illegal_state: {
    meaning: 'What was asked for does not apply to the state in which the resource is now.',
    action: 'Read it and decide anew.',
  },
  limit_reached: {
    meaning: 'A tenant may have only so many of these.',
    action: 'Remove one that is no longer needed.',
  },
  operation_busy: {
    meaning: 'A worker is at work on the operation at this moment.',
    action: 'Ask again after a second.',
  },
  rate_limited: {
    meaning: 'There were more requests, or more connections, than may come from you at a time.',
    action: 'Wait as long as `Retry-After` says, then send the same request with the same key.',
  },
  backlog_full: {
    meaning: 'So much accepted work is waiting that nothing more is taken. Nothing was stored.',
    action: 'Wait as long as `Retry-After` says, then send the same request with the same key.',
  },
  bodies_full: {
    meaning: 'The requests under way are as large as this process can take. Nothing was stored.',
    action: 'Send the same request again after `Retry-After`; it may be smaller as well.',
  },
  streams_full: {
    meaning: 'This process has as many streams and sockets as it may have.',
    action: 'Connect again after `Retry-After`, with a pause that grows.',
  },
  ledger_unavailable: {
    meaning: 'The database did not answer in time. Whether a write was stored is not known here.',
    action:
      'Send the same request again with the same `Idempotency-Key`: it happens once at the most.',
  },
  queue_unavailable: {
    meaning: 'Redis cannot be reached. Operations are accepted and settled later all the same.',
    action: 'Ask again in a few seconds.',
  },
  shutting_down: {
    meaning: 'This process is about to stop; others go on.',
    action: 'Send the same request again; the balancer finds another process.',
  },
  timeout: {
    meaning: 'The work took longer than it may.',
    action: 'Send the same request again with the same key.',
  },
  provider_unavailable: {
    meaning:
      'The payment provider did not give an answer; the step is asked about and tried again.',
    action: 'Nothing: the operation goes on by itself. Follow it by its id.',
  },
  provider_unreachable: {
    meaning: 'The payment provider could not be reached, and nothing was sent to it.',
    action: 'Nothing: the operation goes on by itself. Follow it by its id.',
  },
  provider_throttled: {
    meaning: 'The payment provider asked for patience.',
    action: 'Nothing: the operation goes on by itself, later.',
  },
  provider_misunderstood: {
    meaning: 'The payment provider does not take what it is sent: a matter of configuration.',
    action: 'Have an operator compare the provider with its settings.',
  },
  worker_unfit: {
    meaning: 'The worker that had the operation lacks what a step needs, and left it to others.',
    action: 'Nothing: another worker takes it. Operators: configure all workers alike.',
  },
  version_unknown: {
    meaning: 'The operation was accepted by a newer version of the platform.',
    action: 'Nothing: a worker of that version takes it.',
  },
  step_exhausted: {
    meaning: 'A step failed as often as it may, and the operation waits for a person.',
    action: 'Operators: look at the timeline, then retry or resolve the operation.',
  },
  outcome_unknown: {
    meaning: 'Whether a step took effect outside could not be found out, so nothing was repeated.',
    action: 'Operators: ask the provider, then retry with `assume`, or resolve the operation.',
  },
  compensation_exhausted: {
    meaning: 'What a step did could not be taken back as often as it was tried.',
    action: 'Operators: look at the timeline, then retry `direction: back`, or resolve it by hand.',
  },
  fenced_out: {
    meaning: 'Another worker has taken over what this one was doing. Nothing happened twice.',
    action: 'Nothing.',
  },
  poison_operation: {
    meaning: 'The operation fails in a way that repeating cannot mend, and waits for a person.',
    action: 'Operators: look at the timeline and the logs, then retry or resolve it.',
  },
  invariant_broken: {
    meaning: 'Something that is always true was found not to be. Nothing was written.',
    action: 'Report it with the correlation id.',
  },
  internal: {
    meaning: 'Something went wrong on our side.',
    action:
      'Send the same request again with the same key, and report it with the correlation id if it goes on.',
  },
  invalid_setting: {
    meaning: 'The setting is not known, its value is out of bounds, or it contradicts another one.',
    action:
      'Correct what `errors` points at; docs/settings.md has the bounds. Nothing was changed.',
  },
  version_conflict: {
    meaning: 'Somebody else has changed it since the version that the request states.',
    action: 'Read it again, decide anew, and send the change with the version that you have read.',
  },
  invalid_pause: {
    meaning: 'What is to be paused does not exist, or cannot be paused.',
    action: 'Correct what `errors` points at. Nothing was paused.',
  },
  operation_open: {
    meaning: 'The operation that the answer is to include is not settled yet.',
    action: 'Ask again after `Retry-After`, or without `after`.',
  },
  rebuild_under_way: {
    meaning: 'Another process is rebuilding the ledger.',
    action: 'Wait until it is done; whoever died is taken for gone after two minutes.',
  },
  proof_not_ready: {
    meaning: 'Entries are sealed about half a minute after they were written; this one is not yet.',
    action: 'Ask again after `Retry-After`.',
  },
};
