import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { assert, present } from '../kernel/assert.ts';
import type { Json } from '../kernel/canonical.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import type { Draft } from '../ledger/book.ts';
import {
  type AtomicDefinition,
  type BoundOperation,
  type OperationDefinition,
  type Origin,
  type PartVersions,
  defineOperation,
} from '../operations/define.ts';
import type { Touches } from '../operations/touches.ts';
import { GONE, versionIn } from '../operations/versions.ts';

interface BatchItem {
  readonly type: string;
  readonly input: unknown;
}

/** Several atomic operations, all or nothing, in the given order. Batches do not nest. */
export function defineBatch(definitions: Readonly<Record<string, OperationDefinition>>) {
  for (const { type, scope } of Object.values(definitions)) {
    assert(scope === undefined, 'what a batch may hold needs no right of its own', { type });
  }
  const items = Object.values(definitions).map((definition) =>
    z.strictObject({ type: z.literal(definition.type), input: definition.input }),
  );
  const [first, ...others] = items;
  const item = z.discriminatedUnion('type', [present(first, 'an operation type'), ...others]);
  const input = z.strictObject({ operations: z.array(item).min(1).max(LIMITS.batchItemsMax) });
  const batchOf = (versions: PartVersions): AtomicDefinition => {
    const bind = (one: BatchItem): BoundOperation => bindItem(definitions, versions, one);
    return defineOperation({
      type: 'batch',
      version: 1,
      mode: 'atomic',
      summary: 'Up to 1,000 atomic operations that happen together or not at all',
      input,
      ordering: ({ operations }) => bind(present(operations[0], 'an item')).ordering,
      creates: ({ operations }) => [...new Set(operations.flatMap((one) => bind(one).creates))],
      touches: ({ operations }) => mergeTouches(operations.map((one) => bind(one).touches)),
      decide: (draft, { operations }, origin) => decideAll(draft, operations.map(bind), origin),
      describe: ({ operations }, origin) => ({
        operations: operations.map((one, index) => ({
          type: one.type,
          ...bind(one).describe(itemOrigin(origin, index)),
        })),
      }),
    });
  };
  const now = Object.values(definitions).filter(({ version }) => version > 1);
  const versionsNow = Object.fromEntries(now.map(({ type, version }) => [type, version]));
  const current = batchOf(versionsNow);
  return Object.freeze({
    ...current,
    // What is stored names the versions of its items, but for those at their first.
    bind: (raw: unknown, versions?: PartVersions) =>
      versions === undefined ? current.bind(raw) : batchOf(versions).bind(raw),
    partVersions: () => versionsNow,
    parts: (raw: unknown) => (raw as z.infer<typeof input>).operations.map(({ type }) => type),
  });
}

/** @throws InvariantError when the item was accepted by newer code than this. */
function bindItem(
  definitions: Readonly<Record<string, OperationDefinition>>,
  versions: PartVersions,
  { type, input }: BatchItem,
): BoundOperation {
  const definition = present(definitions[type], `operation type ${type}`);
  const version = versions[type] ?? 1;
  assert(version <= definition.version, 'this code knows the item of a batch', { type, version });
  return versionIn(definition, version)?.bind(input) ?? GONE;
}

/** What the n-th item creates is named after the batch and its number. */
function itemOrigin(origin: Origin, index: number): Origin {
  return `${origin}-${index}`;
}

function decideAll(
  draft: Draft,
  operations: readonly BoundOperation[],
  origin: Origin,
): Result<Json | undefined> {
  for (const [index, operation] of operations.entries()) {
    const nested = draft.nested();
    const decision = operation.decide(nested, itemOrigin(origin, index));
    if (!decision.ok) {
      const { code, detail } = decision.failure;
      return refuse('batch_item_rejected', `Operation ${index} of the batch: ${detail}`, [
        { pointer: `/operations/${index}`, detail: `${code}: ${detail}` },
      ]);
    }
    draft.absorb(nested);
  }
  return ok(undefined);
}

function mergeTouches(all: readonly Required<Touches>[]): Touches {
  return {
    users: all.flatMap((touches) => touches.users),
    wallets: all.flatMap((touches) => touches.wallets),
    walletsOf: all.flatMap((touches) => touches.walletsOf),
    systems: all.flatMap((touches) => touches.systems),
    transfers: all.flatMap((touches) => touches.transfers),
    holds: all.flatMap((touches) => touches.holds),
  };
}
