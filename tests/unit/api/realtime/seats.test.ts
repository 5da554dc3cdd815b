import { describe, expect, it } from 'vitest';
import { createSeats } from '../../../../api/realtime/seats.ts';

const limits = { all: 12, key: 3, tenant: 5, address: 7 };
const guest = { keyId: 'k', tenantId: 't', address: '10.0.0.1' };
const others = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    keyId: `k${index}`,
    tenantId: `t${index}`,
    address: `10.0.1.${index}`,
  }));

describe('seats for streams and sockets', () => {
  it.each([
    ['key', 3, { keyId: 'k' }],
    ['tenant', 5, { tenantId: 't' }],
    ['address', 7, { address: '::ffff:10.0.0.1' }],
  ])('are not all for one %s, and what it gives back it may take again', (_name, max, same) => {
    const seats = createSeats(limits);
    const guests = others(max + 1).map((one) => ({ ...one, ...same }));
    const leave = guests.slice(0, max).map((one) => seats.take(one));
    const next = guests[max] ?? guest;
    expect(() => seats.take(next)).toThrow(expect.objectContaining({ code: 'rate_limited' }));
    expect(() => seats.take(others(99)[98] ?? guest)).not.toThrow();
    leave[0]?.();
    leave[0]?.();
    seats.take(next);
    expect(() => seats.take(next)).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  });

  it('are not without number', () => {
    const seats = createSeats(limits);
    const leave = others(limits.all).map((one) => seats.take(one));
    expect(() => seats.take(guest)).toThrow(expect.objectContaining({ code: 'streams_full' }));
    leave[0]?.();
    expect(() => seats.take(guest)).not.toThrow();
  });

  it('are not taken by who gets none', () => {
    const seats = createSeats({ ...limits, address: 1 });
    const leave = seats.take(guest);
    for (let times = 0; times < 20; times += 1) expect(() => seats.take(guest)).toThrow();
    leave();
    expect(() => seats.take(guest)).not.toThrow();
  });
});
