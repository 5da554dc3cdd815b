import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';
import { GRAPHQL_LIMITS } from '../../config/graphql-limits.ts';

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** Lists without pages. */
const PLAIN_LISTS: ReadonlySet<string> = new Set(['wallets', 'systemWallets']);

/**
 * Refuses what would cost too much, before anything is read: about the number of fields of the answer
 * when every page is as full as was asked for. A page whose size is a variable counts as the largest.
 */
export function costRule(max: number): ValidationRule {
  return (context) => {
    const document = context.getDocument();
    const fragments: Fragments = new Map(
      document.definitions.flatMap((one) =>
        one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [],
      ),
    );
    return {
      OperationDefinition: (operation) => {
        const cost = costOf(operation.selectionSet, { fragments, within: new Set(), max });
        if (cost > max) {
          const text = `The question may cost ${max} and would cost ${cost}: ask for smaller pages`;
          context.reportError(new GraphQLError(text, { nodes: [operation] }));
        }
      },
    };
  };
}

interface Counting {
  readonly fragments: Fragments;
  /** Fragments that are being looked into: one that is inside itself is refused by another rule. */
  readonly within: ReadonlySet<string>;
  readonly max: number;
}

/** Stops soon after it is too much, so that a bomb costs no more to refuse than its text. */
function costOf({ selections }: SelectionSetNode, counting: Counting): number {
  let cost = 0;
  for (const selection of selections) {
    cost += costOfSelection(selection, counting);
    if (cost > counting.max) return cost;
  }
  return cost;
}

function costOfSelection(
  selection: SelectionSetNode['selections'][number],
  counting: Counting,
): number {
  if (selection.kind === Kind.FIELD) {
    const { selectionSet } = selection;
    return (
      1 + (selectionSet === undefined ? 0 : weightOf(selection) * costOf(selectionSet, counting))
    );
  }
  if (selection.kind === Kind.INLINE_FRAGMENT) return costOf(selection.selectionSet, counting);
  const name = selection.name.value;
  const fragment = counting.fragments.get(name);
  if (fragment === undefined || counting.within.has(name)) return 0;
  return costOf(fragment.selectionSet, {
    ...counting,
    within: new Set([...counting.within, name]),
  });
}

/** How many of a field there may be. */
function weightOf({ name, arguments: args = [], selectionSet }: FieldNode): number {
  if (PLAIN_LISTS.has(name.value)) return GRAPHQL_LIMITS.plainListWeight;
  const first = args.find((arg) => arg.name.value === 'first')?.value;
  if (first?.kind === Kind.INT) return Math.max(1, Number(first.value));
  if (first !== undefined) return GRAPHQL_LIMITS.pageMax;
  const isPaged = selectionSet?.selections.some(
    (one) => one.kind === Kind.FIELD && one.name.value === 'nodes',
  );
  return isPaged === true ? GRAPHQL_LIMITS.pageDefault : 1;
}
