import { derivedId } from '../../core/kernel/ids.ts';
import type { Item, Problem } from './record.ts';

/**
 * Names for what earlier lines created. The id of a hold or a transfer follows from the id of its
 * operation, which the server chooses when it accepts it: a line with `"ref": "card-7"` lends its
 * name to `{{ref:card-7.holdId}}` in the inputs of later lines (`transferId` and `operationId`
 * likewise; in a batch, `holdId-3` is that of its item 3). Such a line is sent once the earlier one
 * is accepted, and refused when that one was.
 */
export interface Refs {
  /** Reads the line's own name and the names that it uses. Nothing is remembered yet. */
  resolve(item: Item): Resolution;
  /** The line stands in the chunk that is being put together. */
  declare(name: string | undefined): void;
  accept(name: string | undefined, operationId: string): void;
  refuse(name: string | undefined): void;
}

export type Resolution =
  /** Ready to be sent: names replaced, its own taken out. */
  | { readonly kind: 'ready'; readonly item: Item; readonly name?: string }
  /** Needs a line that is still in the chunk: send that first, then ask again. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'refused'; readonly problem: Problem };

interface Known {
  readonly state: 'pending' | 'accepted' | 'refused';
  readonly operationId: string;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const USE = /\{\{ref:([^{}]*)\}\}/g;
const TARGET = /^([A-Za-z0-9_-]{1,64})\.(operationId|holdId|transferId)(-\d{1,4})?$/;

export function createRefs(namesMax: number): Refs {
  const known = new Map<string, Known>();
  const move = (name: string | undefined, to: Known): void => {
    if (name !== undefined && known.has(name)) known.set(name, to);
  };
  return {
    resolve: (item) => {
      const { ref, ...rest } = item;
      const problem = ref === undefined ? undefined : nameProblem(ref, known);
      if (problem !== undefined) return { kind: 'refused', problem };
      const own = typeof ref === 'string' ? { name: ref } : {};
      const use: Use = { known, namesMax, mustWait: false, problem: undefined };
      const input = rest['input'] === undefined ? {} : { input: replaceIn(rest['input'], use) };
      if (use.problem !== undefined) return { kind: 'refused', problem: use.problem };
      if (use.mustWait) return { kind: 'wait' };
      return { kind: 'ready', item: { ...rest, ...input }, ...own };
    },
    declare: (name) => {
      if (name === undefined) return;
      known.set(name, { state: 'pending', operationId: '' });
      const [oldest] = known.keys();
      if (known.size > namesMax && oldest !== undefined) known.delete(oldest);
    },
    accept: (name, operationId) => {
      move(name, { state: 'accepted', operationId });
    },
    refuse: (name) => {
      move(name, { state: 'refused', operationId: '' });
    },
  };
}

function nameProblem(ref: unknown, known: ReadonlyMap<string, Known>): Problem | undefined {
  const pointer = '/ref';
  if (typeof ref !== 'string' || !NAME.test(ref)) {
    const detail = 'A ref must be 1 to 64 letters, digits, _ or -';
    return { code: 'invalid_ref', detail, pointer };
  }
  if (!known.has(ref)) return undefined;
  return { code: 'invalid_ref', detail: `An earlier line has the ref "${ref}" already`, pointer };
}

/** One line's look at the names: what came of it besides the replaced text. */
interface Use {
  readonly known: ReadonlyMap<string, Known>;
  readonly namesMax: number;
  mustWait: boolean;
  problem: Problem | undefined;
}

function replaceIn(value: unknown, use: Use): unknown {
  if (typeof value === 'string') {
    return value.includes('{{ref:')
      ? value.replaceAll(USE, (whole, target: string) => lookUp(target, use) ?? whole)
      : value;
  }
  if (Array.isArray(value)) return value.map((member: unknown) => replaceIn(member, use));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, member]) => [key, replaceIn(member, use)]);
  return Object.fromEntries(fields) as unknown;
}

/** The id that a name stands for; otherwise why there is none is left in `use`. */
function lookUp(target: string, use: Use): string | undefined {
  const match = TARGET.exec(target);
  if (match === null) {
    complain(use, `{{ref:${target}}} is not of the form {{ref:NAME.holdId}}`);
    return undefined;
  }
  const [, name = '', field = '', itemNumber = ''] = match;
  const found = use.known.get(name);
  if (found === undefined) {
    const kept = `the latest ${String(use.namesMax)} are known`;
    complain(use, `No earlier line has the ref "${name}" (${kept})`);
  } else if (found.state === 'refused') {
    complain(use, `The line with the ref "${name}" was refused`);
  } else if (found.state === 'pending') {
    use.mustWait = true;
  } else {
    return idFor(found.operationId + itemNumber, field);
  }
  return undefined;
}

function complain(use: Use, detail: string): void {
  use.problem ??= { code: 'unknown_ref', detail, pointer: '/input' };
}

function idFor(origin: string, field: string): string {
  if (field === 'operationId') return origin;
  return derivedId(field === 'holdId' ? 'hld' : 'trf', origin);
}
