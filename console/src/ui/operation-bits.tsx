import type { ComponentChildren } from 'preact';
import { Money } from './parts.tsx';

function textIn(input: unknown, name: string): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const value: unknown = Object.entries(input).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : undefined;
}

const userLink = (id: string) => <a href={`/admin/users/${encodeURIComponent(id)}`}>{id}</a>;

/** Whom it is about, as far as its input says. */
export function partiesOf(input: unknown): ComponentChildren {
  const [user, from, to] = ['userId', 'fromUserId', 'toUserId'].map((name) => textIn(input, name));
  if (from !== undefined && to !== undefined) {
    return (
      <>
        {userLink(from)} → {userLink(to)}
      </>
    );
  }
  return user === undefined ? '' : userLink(user);
}

export function amountOf(input: unknown): ComponentChildren {
  const [amount, currency] = [textIn(input, 'amount'), textIn(input, 'currency')];
  if (amount === undefined || currency === undefined) return '';
  return <Money minor={amount} currency={currency} />;
}
