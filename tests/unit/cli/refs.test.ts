import { describe, expect, it } from 'vitest';
import { createRefs } from '../../../cli/import/refs.ts';

const ID = `op_${'a1'.repeat(16)}`;
const BODY = ID.slice(3);
const use = (text: string) => ({ type: 't', input: { deep: [{ id: text }], other: 7 } });

function refsWith(name: string) {
  const refs = createRefs(10);
  refs.declare(name);
  return refs;
}

describe('refs', () => {
  it.each([
    ['{{ref:card-7.operationId}}', ID],
    ['{{ref:card-7.holdId}}', `hld_${BODY}`],
    ['{{ref:card-7.transferId}}', `trf_${BODY}`],
    ['{{ref:card-7.holdId-3}}', `hld_${BODY}-3`],
    ['a {{ref:card-7.holdId}} and {{ref:card-7.holdId}}', `a hld_${BODY} and hld_${BODY}`],
  ])('replaces %s once the line is accepted', (text, expected) => {
    const refs = refsWith('card-7');
    refs.accept('card-7', ID);
    expect(refs.resolve(use(text))).toEqual({
      kind: 'ready',
      item: { type: 't', input: { deep: [{ id: expected }], other: 7 } },
    });
  });

  it('waits for a line that is not accepted yet', () => {
    expect(refsWith('card-7').resolve(use('{{ref:card-7.holdId}}'))).toEqual({ kind: 'wait' });
  });

  it('takes the name of a line out of what is sent', () => {
    expect(createRefs(10).resolve({ type: 't', ref: 'n', input: {} })).toEqual({
      kind: 'ready',
      name: 'n',
      item: { type: 't', input: {} },
    });
  });

  it('refuses what depends on a refused line', () => {
    const refs = refsWith('card-7');
    refs.refuse('card-7');
    expect(refs.resolve(use('{{ref:card-7.holdId}}'))).toMatchObject({
      kind: 'refused',
      problem: { code: 'unknown_ref', detail: 'The line with the ref "card-7" was refused' },
    });
  });

  it.each(['{{ref:nobody.holdId}}', '{{ref:card-7.holdid}}', '{{ref:card-7}}', '{{ref:}}'])(
    'refuses %s',
    (text) => {
      const refs = refsWith('card-7');
      refs.accept('card-7', ID);
      expect(refs.resolve(use(text))).toMatchObject({
        kind: 'refused',
        problem: { code: 'unknown_ref' },
      });
    },
  );

  it.each(['', 'with space', 7, 'x'.repeat(65), 'a.b'])('refuses %s as a name', (ref) => {
    expect(createRefs(10).resolve({ type: 't', ref })).toMatchObject({
      kind: 'refused',
      problem: { code: 'invalid_ref', pointer: '/ref' },
    });
  });

  it('refuses a name that is taken', () => {
    expect(refsWith('n').resolve({ type: 't', ref: 'n' })).toMatchObject({ kind: 'refused' });
  });

  it('forgets the oldest names beyond its bound', () => {
    const refs = createRefs(2);
    for (const name of ['a', 'b', 'c']) {
      refs.declare(name);
      refs.accept(name, ID);
    }
    expect(refs.resolve(use('{{ref:b.holdId}}')).kind).toBe('ready');
    expect(refs.resolve(use('{{ref:a.holdId}}')).kind).toBe('refused');
  });
});
