import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { envSchema, parseEnv } from '../../../config/env.ts';

const text = readFileSync(resolve(import.meta.dirname, '../../../.env.example'), 'utf8');
const rows = [...text.matchAll(/^(# )?([A-Z][A-Z_]+)=(.*)$/gm)].map(
  ([, hidden, name = '', value = '']) => ({ name, value, isHidden: hidden !== undefined }),
);

describe('.env.example', () => {
  it('has each name of config/env.ts once, and no other', () => {
    const names = rows.map(({ name }) => name);
    expect(names.toSorted()).toEqual(Object.keys(envSchema.shape).toSorted());
  });

  it('shows the defaults as they are', () => {
    const shown = rows.filter(({ value }) => value !== '');
    const parsed = parseEnv(Object.fromEntries(shown.map(({ name, value }) => [name, value])));
    expect(parsed).toEqual(parseEnv({}));
  });

  it('leaves nothing but the secrets to be filled in', () => {
    const open = rows.filter(({ isHidden }) => !isHidden);
    expect(open.map(({ name, value }) => [name, value])).toEqual([
      ['ADMIN_PASSWORD', ''],
      ['BOOTSTRAP_API_KEY', ''],
    ]);
  });

  it('says what each name is for', () => {
    const lines = text.split('\n');
    const unexplained = rows.filter(({ name }) => {
      const at = lines.findIndex((line) => new RegExp(`^(# )?${name}=`).test(line));
      return !/^#\s+\S/.test(lines[at - 1] ?? '');
    });
    const selfEvident = ['MONGO_URL', 'MONGO_DB', 'REDIS_URL'];
    expect(
      unexplained.map(({ name }) => name).filter((name) => !selfEvident.includes(name)),
    ).toEqual([]);
  });
});
