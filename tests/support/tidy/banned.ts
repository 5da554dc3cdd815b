import { type Finding, type TextFile, isCode, isSource, isTest, lineAt } from './tree.ts';

/**
 * Texts that may not stand in the tree, each with what to do instead. ESLint bans what needs a
 * syntax tree; this table holds what a library offers and this project must not use, and what has
 * to be caught in files that ESLint does not read.
 */
export interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  readonly instead: string;
  readonly applies: (file: TextFile) => boolean;
}

const everywhere = (): boolean => true;
const notMarkdown = ({ path }: TextFile): boolean => !path.endsWith('.md');

export const BANS: readonly Ban[] = [
  {
    name: 'reminder',
    pattern: /\b(?:FIXME|TODO|XXX)\b/,
    instead: 'do it now, or write it into the docs as a known limit',
    applies: everywhere,
  },
  {
    name: 'machine path',
    pattern:
      /(?:(?<![\w.\-/])|file:\/\/)\/(?:home|work|Users|root)\/[\w.]|\b[A-Z]:[\\/]+(?:Users|work|home)\b/,
    instead: 'a path relative to the repository, or one that the program asks for',
    applies: everywhere,
  },
  {
    name: 'focused or skipped test',
    pattern: /\b(?:describe|it|test|suite)(?:\.\w+)*\.(?:only|skip|todo)\b/,
    instead: 'run it, delete it, or state the condition with skipIf',
    applies: isTest,
  },
  {
    name: 'mocked module',
    pattern: /\bvi\.(?:mock|doMock|hoisted)\(/,
    instead: 'the real part, or a fake behind the port it implements',
    applies: isTest,
  },
  {
    name: 'snapshot',
    pattern: /\.toMatch(?:Inline)?Snapshot\(/,
    instead: 'state the expectation',
    applies: isTest,
  },
  {
    name: 'lint switched off without a reason',
    pattern: /eslint-disable(?!-next-line [^\n]* -- \w)/,
    instead: 'eslint-disable-next-line <rule> -- <why>',
    applies: isCode,
  },
  {
    name: 'type check switched off',
    pattern: /@ts-(?:ignore|nocheck)\b/,
    instead: 'fix the type, or @ts-expect-error with the reason',
    applies: isCode,
  },
  {
    name: 'BullMQ event as the truth',
    pattern: /\.waitUntilFinished\(/,
    instead: 'the status of the operation in MongoDB (the event stream drops old events)',
    applies: isCode,
  },
  {
    name: 'retention by a flag',
    pattern: /\bremoveOn(?:Complete|Fail):\s*(?:true|false)\b/,
    instead: 'count and age (queues/catalog.ts): true erases evidence, false fills Redis',
    applies: isSource,
  },
  {
    name: 'obliterated queue',
    pattern: /\.obliterate\(/,
    instead: 'drain() or clean()',
    applies: isSource,
  },
  {
    name: 'whole keyspace',
    pattern: /\.(?:keys\(['"`]|flushall\(|flushdb\()/i,
    instead: 'SCAN over an own prefix',
    applies: isSource,
  },
  {
    name: 'timeout that does nothing',
    pattern: /\btimeoutMS\b/,
    instead: 'maxTimeMS, socketTimeoutMS and an own deadline (a no-op in this driver)',
    applies: isCode,
  },
  {
    name: 'filter that may match everything',
    pattern: /\bignoreUndefined:\s*true\b/,
    instead: 'an assertion in the store: an undefined tenant must not vanish from a filter',
    applies: isCode,
  },
  {
    name: 'write that may be lost',
    pattern: /\bw:\s*[01]\b/,
    instead: 'the DURABLE or TRANSACTION options of core/infra/mongo.ts',
    applies: isSource,
  },
  {
    name: 'page by offset',
    pattern: /\.skip\(/,
    instead: 'seek on an indexed key (core/kernel/cursor.ts): the cost must not grow with depth',
    applies: isSource,
  },
  {
    name: 'code in a query',
    pattern: /\$where\b|\$function\b|\$accumulator\b/,
    instead: 'an indexed filter',
    applies: isSource,
  },
  {
    name: 'TLS without a check',
    pattern: /\brejectUnauthorized:\s*false\b|NODE_TLS_REJECT_UNAUTHORIZED|tlsInsecure/,
    instead: 'the certificate authority of the server',
    applies: notMarkdown,
  },
  {
    name: 'weak hash',
    pattern: /\bcreateH(?:ash|mac)\(\s*['"](?:md5|sha1)['"]/,
    instead: 'sha256',
    applies: isSource,
  },
];

/** The table and its tests have to spell what they ban. */
const SPELLS_IT_OUT: ReadonlySet<string> = new Set([
  'tests/support/tidy/banned.ts',
  'tests/unit/tooling/tidy-rules.test.ts',
]);

function matches(file: TextFile, { name, pattern, instead }: Ban): Finding[] {
  const everyMatch = new RegExp(pattern, `g${pattern.flags}`);
  return [...file.text.matchAll(everyMatch)].map((match) => ({
    path: file.path,
    line: lineAt(file.text, match.index),
    problem: `${name} "${match[0].trim()}": ${instead}`,
  }));
}

export function findBanned(files: readonly TextFile[]): Finding[] {
  return files
    .filter(({ path }) => !SPELLS_IT_OUT.has(path))
    .flatMap((file) =>
      BANS.filter((ban) => ban.applies(file)).flatMap((ban) => matches(file, ban)),
    );
}
