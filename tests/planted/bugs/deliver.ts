import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'two jobs of one delivery in one group of claims both have it',
    file: 'core/notifications/delivery/delivery-journal.ts',
    find: 'free.delete(id) && {',
    replace: 'free.has(id) && {',
    foundBy: ['tests/integration/notifications/claims.test.ts'],
  },
  {
    name: 'a delivery that is being sent is claimed once more',
    file: 'core/notifications/delivery/delivery-store.ts',
    find: `          status: 'pending',
          $expr:`,
    replace: `          status: { $in: ['pending', 'sending'] },
          $expr:`,
    foundBy: ['tests/integration/notifications/claims.test.ts'],
  },
  {
    name: 'an outbox row is removed before its events are routed',
    file: 'workers/events.ts',
    find: `      await router.route(row);
      await stream.append(row);
      await outbox.remove(rowId);`,
    replace: `      await outbox.remove(rowId);
      await router.route(row);
      await stream.append(row);`,
    foundBy: ['tests/integration/notifications/outbox.test.ts'],
  },
  {
    name: 'an outbox row is removed before its events stand in the stream',
    file: 'workers/events.ts',
    find: `      await stream.append(row);
      await outbox.remove(rowId);`,
    replace: `      await outbox.remove(rowId);
      await stream.append(row);`,
    foundBy: ['tests/integration/notifications/outbox.test.ts'],
  },
  {
    name: 'quiet hours count as minutes where the clock is changed meanwhile',
    file: 'core/notifications/routing/preferences.ts',
    find: 'if (minuteOfDay(plainMs, quiet.zone) === minutesOf(quiet.to)) return plainMs - now.getTime();',
    replace: 'if (quiet.zone !== undefined) return plainMs - now.getTime();',
    foundBy: ['tests/unit/core/notifications/channels/texts.test.ts'],
  },
  {
    name: 'a text message expires in quiet hours that are longer than its life',
    file: 'core/notifications/delivery/delivery-statements.ts',
    find: '...(lifeMs !== undefined && prolonged(delayMs + lifeMs)),',
    replace: '...(lifeMs !== undefined && { isProlonged: true }),',
    foundBy: ['tests/integration/notifications/quiet-hours.test.ts'],
  },
  {
    name: `one tenant's failing webhooks open the breaker of all tenants on that host`,
    file: 'core/notifications/providers/webhook.ts',
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    find: '`${NAME}:${tenantId}:${hostKey(url)}`',
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    replace: '`${NAME}:${tenantId.slice(0, 0)}:${hostKey(url)}`',
    foundBy: ['tests/integration/notifications/tenants.test.ts'],
  },
  {
    name: 'after Retry-After the other events of an endpoint call at once',
    file: 'core/notifications/admission/admission.ts',
    find: 'if (askedMs > 0) return Math.min(askedMs, holdMsMax);',
    replace: 'if (askedMs > 0) return Math.min(0, holdMsMax);',
    foundBy: ['tests/integration/notifications/throttle.test.ts'],
  },
  {
    name: 'an endpoint that always says it is too much never counts as failing',
    file: 'core/notifications/webhooks/endpoint-health.ts',
    find: `const isGood = outcome.kind === 'sent';`,
    replace: `const isGood = outcome.kind === 'sent' || outcome.kind === 'throttled';`,
    foundBy: ['tests/integration/notifications/throttle.test.ts'],
  },
  {
    name: 'a throttled message is asked for again at one pace for ever',
    file: 'core/notifications/delivery/verdict.ts',
    find: 'firstMs * 2 ** throttles',
    replace: 'firstMs',
    foundBy: ['tests/unit/core/notifications/delivery/verdict.test.ts'],
  },
  {
    name: 'one failure six days ago and one now disable an endpoint',
    file: 'core/notifications/webhooks/webhook-endpoint.ts',
    find: `if (pauseMs > LIMITS.webhookFailingPauseMsMax) return 'failing';`,
    replace: `if (pauseMs > LIMITS.webhookFailingMsMax * 100) return 'failing';`,
    foundBy: ['tests/unit/core/notifications/webhooks/webhook-endpoint.test.ts'],
  },
  {
    name: 'a secret that is replaced twice within its grace stops signing',
    file: 'core/notifications/webhooks/webhook-endpoint.ts',
    find: '...old.filter(({ expiresAt }) => expiresAt > now)]',
    replace: '...old.slice(0, 1)]',
    foundBy: ['tests/unit/core/notifications/webhooks/webhook-endpoint.test.ts'],
  },
  {
    name: `webhooks are dated by the worker's clock`,
    file: 'core/notifications/delivery/call-chain.ts',
    find: 'return () => now.getTime() + clock.monotonicMs() - startMs;',
    replace: 'return () => clock.now() + (now.getTime() + clock.monotonicMs() - startMs) * 0;',
    foundBy: ['tests/integration/notifications/skew.test.ts'],
  },
  {
    name: 'a replay whose answer was lost sends everything twice',
    file: 'core/notifications/delivery/delivery-reads-store.ts',
    find: 'token === undefined ? {} : { resendTokens: { $ne: token } }',
    replace: `token === undefined ? {} : { resendTokens: { $ne: 'none' } }`,
    foundBy: ['tests/integration/notifications/replay.test.ts'],
  },
  {
    name: 'a replay begins with the newest again',
    file: 'core/notifications/delivery/delivery-admin.ts',
    find: '    let after = first;',
    replace: '    let after = first === undefined ? first : undefined;',
    foundBy: ['tests/integration/notifications/replay.test.ts'],
  },
  {
    name: 'versions of a text that are added at once are a 500',
    file: 'core/notifications/templates/template-store.ts',
    find: 'const VERSION_TRIES = 50;',
    replace: 'const VERSION_TRIES = 2;',
    foundBy: ['tests/http/notifications/writes.test.ts'],
  },
  {
    name: 'webhook endpoints that are made at once pass the limit',
    file: 'core/notifications/webhooks/webhook-endpoint-store.ts',
    find: 'taken.has(n));',
    replace: `taken.has(n) && n < 0);
      if (found.length < max) return randomInt(1_000_000_000);`,
    foundBy: ['tests/http/notifications/writes.test.ts'],
  },
  {
    name: 'a filter that matches no event is taken',
    file: 'api/routes/webhook-endpoints/endpoint-input.ts',
    find: 'FILTER_PATTERN.test(text) && isKnownFilter(text)',
    replace: 'FILTER_PATTERN.test(text) || isKnownFilter(text)',
    foundBy: ['tests/http/notifications/writes.test.ts'],
  },
  {
    name: 'an endpoint with a new URL is disabled for the failures of the old one',
    file: 'core/notifications/webhooks/webhook-endpoint-store.ts',
    find: '...((isEnabled || isAnew) &&',
    replace: '...(isEnabled &&',
    foundBy: ['tests/http/notifications/writes.test.ts'],
  },
  {
    name: 'a rotation whose answer was lost rotates again after the next one',
    file: 'core/notifications/webhooks/endpoint-admin.ts',
    find: 'const keys = [rotationKey, ...rotationKeys]',
    replace: 'const keys = [rotationKey]',
    foundBy: ['tests/http/notifications/writes.test.ts'],
  },
  {
    name: 'a token of another project is suppressed for good',
    file: 'core/notifications/providers/fcm.ts',
    find: `    case 'SENDER_ID_MISMATCH':
    case 'INVALID_ARGUMENT':
      return { ...permanent(answer), code };`,
    replace: `    case 'SENDER_ID_MISMATCH':
    case 'INVALID_ARGUMENT':
      return { ...permanent(answer, true), code };`,
    foundBy: ['tests/integration/notifications/push.test.ts'],
  },
  {
    name: 'a push takes the place of what was sent as event',
    file: 'core/notifications/channels/push.ts',
    find: '{ event: event.name, ...pushDataOf(given) }',
    replace: '{ ...pushDataOf(given), event: event.name }',
    foundBy: ['tests/unit/core/notifications/channels/message-limits.test.ts'],
  },
  {
    name: 'what happens while an endpoint is disabled leaves no trace',
    file: 'core/notifications/webhooks/webhook-endpoint-store.ts',
    find: 'endpoints.find({ tenantId }, options).limit',
    replace: "endpoints.find({ tenantId, status: 'enabled' }, options).limit",
    foundBy: ['tests/integration/notifications/skipped.test.ts'],
  },
  {
    name: 'a row over the edge of a window is shown in two digests',
    file: 'core/notifications/routing/drafts.ts',
    find: 'Math.floor(delivery.event.at.getTime() / windowMs) + later',
    replace: 'Math.floor(delivery.createdAt.getTime() / windowMs) + later',
    foundBy: ['tests/integration/notifications/digests.test.ts'],
  },
  {
    name: 'a digest forgets what it does not show',
    file: 'core/notifications/channels/channel.ts',
    find: 'const count = items.length + more.length;',
    replace: 'const count = items.length + more.length * 0;',
    foundBy: ['tests/unit/core/notifications/channels/message-limits.test.ts'],
  },
  {
    name: 'a mail that a person sends again has the id of the first',
    file: 'core/notifications/delivery/request-of.ts',
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    find: 'return resends === 0 ? _id : `${_id}-${resends}`;',
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    replace: 'return resends === -1 ? `${_id}-${resends}` : _id;',
    foundBy: ['tests/integration/notifications/skipped.test.ts'],
  },
  {
    name: 'a template fills the memory of whoever makes its text',
    file: 'core/notifications/templates/template.ts',
    find: '    if (chars > charsMax) return false;',
    replace: '    if (chars < 0) return false;',
    foundBy: ['tests/unit/core/notifications/channels/message-limits.test.ts'],
  },
  {
    name: 'an endpoint that was just created misses what happens next',
    file: 'core/notifications/routing/plans.ts',
    find: 'of: (tenantId: string) => group.add(tenantId)',
    replace: `of: ((kept = new Map<string, Promise<TenantPlan>>()) => (tenantId: string) => {
      const plan = kept.get(tenantId) ?? group.add(tenantId);
      kept.set(tenantId, plan);
      return plan;
    })()`,
    foundBy: ['tests/integration/notifications/endpoints.test.ts'],
  },
];
