import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AppError,
  ERRORS,
  type ErrorCode,
  InvariantError,
  isErrorCode,
} from '../../../../core/kernel/errors.ts';
import { assert, assertNever, present } from '../../../../core/kernel/assert.ts';
import { ROOT } from '../../../support/tidy/tree.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];

describe('the table of error codes', () => {
  it('has a title, a kind and a fate of the job for every code, in one form', () => {
    for (const code of CODES) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(ERRORS[code].title).toMatch(/^[A-Z].*[^.]$/);
    }
    const titles = CODES.map((code) => ERRORS[code].title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('never lets a business refusal be retried: it would only be refused again', () => {
    const rules = CODES.filter((code) => ERRORS[code].kind === 'rule');
    expect(rules.length).toBeGreaterThan(15);
    expect(rules.filter((code) => ERRORS[code].retry !== 'never')).toEqual([]);
  });

  it('lets every "unavailable" be tried again', () => {
    const away = CODES.filter((code) => ERRORS[code].kind === 'unavailable');
    expect(away.filter((code) => ERRORS[code].retry === 'never')).toEqual([]);
  });

  it('is documented in full, and nothing else is', () => {
    const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
    const headings = [...page.matchAll(/^#+ `?([a-z]+(?:_[a-z]+)*)`?$/gm)];
    const documented = headings.map(([, code = '']) => code);
    expect(documented.filter((code) => !isErrorCode(code))).toEqual([]);
    expect(documented.toSorted()).toEqual(CODES.toSorted());
  });
});

describe('AppError', () => {
  it('knows its kind and fate, and keeps cause and context', () => {
    const cause = new Error('below');
    const error = new AppError('rate_limited', 'Slow down', { cause, retryAfterSeconds: 3 });
    expect(error).toMatchObject({ kind: 'limit', retry: 'after', retryAfterSeconds: 3 });
    expect(error.cause).toBe(cause);
    expect(error.message).toBe('rate_limited: Slow down');
  });

  it('knows codes read back from storage, but nothing that objects inherit', () => {
    expect(['internal', 'toString', '__proto__', ''].map(isErrorCode)).toEqual([
      ...[true, false, false, false],
    ]);
  });
});

describe('assertions', () => {
  it('throw an invariant error with its context', () => {
    const failing = () => {
      assert(1 > 2, 'two is more', { seq: 7 });
    };
    expect(failing).toThrow(InvariantError);
    expect(() => present(undefined, 'the wallet')).toThrow('the wallet is absent');
    expect(() => present(null, 'the wallet')).toThrow(InvariantError);
    expect(present(0, 'zero')).toBe(0);
    expect(() => assertNever('x' as never)).toThrow('unhandled case: x');
  });
});
