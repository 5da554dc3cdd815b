import { BSON } from 'mongodb';
import type { Explained } from '../explain.ts';

/** One use of a store. */
export type Call = () => Promise<unknown>;

/** More than it returns, a look may look at so much: its way there, and what another left. */
const FEW = 60;
const PER_DOCUMENT = 4;

/** Why a query may do what others may not, by what it asks. */
export interface Exempt {
  readonly because: string;
  readonly isIt: (query: Explained) => boolean;
}

/** What is wrong with a query, as a line; undefined: nothing. */
export function faultOf(query: Explained): string | undefined {
  const { what, stages, keysExamined, docsExamined, returned, command } = query;
  const looked = Math.max(keysExamined, docsExamined);
  const faults = [
    ...(stages.includes('COLLSCAN') ? ['reads the whole collection'] : []),
    ...(stages.some((stage) => /^(\$)?sort$/i.test(stage)) ? ['sorts in memory'] : []),
    ...(looked > FEW + PER_DOCUMENT * returned ? [`looks at ${looked} for ${returned}`] : []),
  ];
  if (faults.length === 0) return undefined;
  return `${siteOf(query)} ${what} ${faults.join(', ')}: ${BSON.EJSON.stringify(command)}`;
}

export function siteOf({ command }: Explained): string {
  return typeof command['comment'] === 'string' ? command['comment'] : 'elsewhere';
}
