import { describe, expect, it } from 'vitest';
import {
  EVENT_NAMES,
  isKnownFilter,
} from '../../../../../core/notifications/routing/event-names.ts';
import { readTree } from '../../../../support/tidy/tree.ts';

/** Names in the calls that make events, with what is computed left out. */
const EMITS = /(?:\bemit|notifyStep)\(\s*([^,]+)/g;

describe('the list of events', () => {
  it('has every name that the code gives an event, so that no filter for one is refused', () => {
    const core = readTree().filter(({ path }) => /^core\/.*\.ts$/.test(path));
    const found = core.flatMap(({ text }) =>
      [...text.matchAll(EMITS)].flatMap(([, argument = '']) =>
        [...argument.matchAll(/['`]([a-z-]+\.[a-z-]*)/g)].map(([, name = '']) => name),
      ),
    );
    expect(found).toContain('transfer.settled');
    expect(found).toContain('hold.expired');
    expect(found).toContain('user.');
    const isListed = (name: string): boolean =>
      EVENT_NAMES.some((one) => (name.endsWith('.') ? one.startsWith(name) : one === name));
    expect(found.filter((name) => !isListed(name))).toEqual([]);
  });

  it.each([
    ['*', true],
    ['transfer.*', true],
    ['transfer.settled', true],
    ['operation.needs_attention', true],
    ['webhook-endpoint.*', true],
    ['foo', false],
    ['nonsense.*', false],
    ['transfer.settled.*', false],
    ['transfer', false],
    ['operation.running', false],
  ])('%s can match something: %s', (filter, isKnown) => {
    expect(isKnownFilter(filter)).toBe(isKnown);
  });
});
