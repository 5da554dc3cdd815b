import { describe, expect, it } from 'vitest';
import { expectProblem, pointersOf, useApi } from '../../support/api.ts';

const api = useApi();
const input = { userId: 'ann', currency: 'EUR', amount: 100, instrument: 'card' };

describe('a payment through a provider that no process has', () => {
  it.each(['http', 'nosuch'])('is refused at once, without an effect: %s', async (provider) => {
    const before = await api.effects();
    for (const path of ['/v1/deposits', '/v1/withdrawals']) {
      const answer = await api.post(path, { ...input, provider });
      expectProblem(answer, 422, 'provider_unknown');
      expect(pointersOf(answer)).toEqual(['/provider']);
    }
    const typed = { type: 'deposit', input: { ...input, provider } };
    const answer = await api.post('/v1/operations', typed);
    expectProblem(answer, 422, 'provider_unknown');
    expect(pointersOf(answer)).toEqual(['/input/provider']);
    expect(await api.effects()).toEqual(before);
  });

  it('is accepted through one that the installation has', async () => {
    expect(await api.post('/v1/deposits', input)).toMatchObject({ status: 202 });
  });
});
