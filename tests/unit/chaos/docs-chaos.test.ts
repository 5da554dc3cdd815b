import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../chaos/nemesis/catalog.ts';
import { SCHEDULES } from '../../chaos/schedules.ts';
import { ROOT } from '../../support/tidy/tree.ts';

const page = readFileSync(join(ROOT, 'docs', 'chaos.md'), 'utf8');
const rows = page.split('\n').filter((line) => /^\| F\d/.test(line));
const kinds = new Set(FAULT_KINDS.map(({ name }) => name));

describe('the fault matrix in docs/chaos.md', () => {
  it('has every row, with a kind of fault or the reason why there is none', () => {
    const numbers = rows.flatMap((row) => row.match(/\bF\d+\b/g) ?? []);
    const wanted = Array.from({ length: 28 }, (_, index) => `F${String(index + 1)}`);
    expect(wanted.filter((one) => !numbers.includes(one))).toEqual([]);
  });

  it('names only kinds that there are', () => {
    const named = rows.flatMap((row) =>
      [...row.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name ?? ''),
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !kinds.has(name))).toEqual([]);
  });

  it('names for each kind what it covers', () => {
    const wrong = FAULT_KINDS.flatMap(({ covers }) => covers).filter(
      (one) => one.startsWith('F') && !rows.some((row) => new RegExp(`\\b${one}\\b`).test(row)),
    );
    expect(wrong).toEqual([]);
  });

  it('names a schedule that there is', () => {
    expect(SCHEDULES.map(({ name }) => name)).toContain('insert-cut');
  });
});
