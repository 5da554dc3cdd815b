import { describe, expect, it } from 'vitest';
import { deliveriesOf, deliveryPayload } from '../../../queues/catalog.ts';
import { hastyPolicies } from '../../support/hasty-policies.ts';
import { type Notifying, finished, openNotifying } from '../../support/notifying.ts';

const HAPPENED = { name: 'transfer.settled', data: { amount: '1250', currency: 'EUR' } };

/** How many deliveries each job stood for that was taken up. */
async function looks({ node }: Notifying): Promise<readonly number[]> {
  const jobs = await node.queues.byName.get('notify-webhook')?.getJobs(['completed']);
  return (jobs ?? []).map(
    ({ data, attemptsStarted }) =>
      deliveriesOf(deliveryPayload.parse(data)).length * attemptsStarted,
  );
}

describe('a long queue to one host', () => {
  it.each([
    ['as fast as the host takes them', 600, 0],
    ['at the rate that the channel is held to', 600, 150],
    ['at a low rate', 140, 20],
  ])(
    'is worked off without looking at each again and again: %s',
    async (_how, count, ratePerSecond) => {
      const notifying = await openNotifying({ isSilent: true });
      const { node, endpoint, happen, notify, standIns } = notifying;
      await endpoint('shop');
      await happen(...Array.from({ length: count }, () => HAPPENED));
      notify(node, { policies: hastyPolicies({ ratePerSecond, timeoutMs: 15_000 }) });
      const deliveries = await finished(notifying, count, 20_000);
      expect(deliveries.map(({ attempts }) => attempts.length)).toEqual(deliveries.map(() => 1));
      expect(standIns.receiver.received('webhooks')).toHaveLength(count);
      const counts = await looks(notifying);
      expect(counts.length).toBeLessThan(count / 2); // jobs of several
      expect(counts.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(count);
      expect(counts.reduce((sum, one) => sum + one, 0) / count).toBeLessThan(3);
    },
  );
});
