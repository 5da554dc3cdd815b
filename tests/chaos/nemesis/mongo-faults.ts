import type { Cluster } from '../cluster/cluster.ts';
import { isMember } from '../cluster/mongo-callers.ts';
import type { Member } from '../cluster/mongo-set.ts';
import type { Imposed, Rule } from '../fault-proxy.ts';
import type { FaultKind, Strike } from './fault-kind.ts';

/** One at a time: two of them together would take the majority away. */
const members = (): readonly string[] => ['mongo'];
const links = (): readonly string[] => ['mongo-link'];

/** A rule on the way to every member. */
function onAllMembers(cluster: Cluster, rule: Rule): Strike {
  return imposed(cluster.mongo.members.map(({ proxy }) => proxy.impose(rule)));
}

export function imposed(all: readonly Imposed[]): Strike {
  return {
    strikes: () => all.reduce((sum, one) => sum + one.strikes(), 0),
    heal: async () => {
      for (const one of all) one.lift();
    },
  };
}

async function memberOf(cluster: Cluster, target: string): Promise<Member> {
  const primary = await cluster.mongo.primary();
  if (target === 'primary') return primary;
  const other = cluster.mongo.members.find(({ index }) => index !== primary.index);
  if (other === undefined) throw new Error('there is no secondary');
  return other;
}

const signalled = async (
  cluster: Cluster,
  target: string,
  how: 'kill' | 'pause',
): Promise<Strike> => {
  const { server, index } = await memberOf(cluster, target);
  const wasStruck = server.kill(how === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  return {
    strikes: () => (wasStruck ? 1 : 0),
    note: `member ${String(index)}`,
    heal: async () => {
      if (how === 'pause') server.kill('SIGCONT');
      else await server.restart();
      await cluster.mongo.waitForAll();
    },
  };
};

async function stepDown(cluster: Cluster): Promise<Strike> {
  const primary = await cluster.mongo.primary();
  const order = { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5, force: true };
  const answer = await primary.command(order, 10_000).catch(() => undefined);
  return {
    strikes: () => 1,
    note: answer === undefined ? 'it hung up' : 'it stepped down',
    heal: () => cluster.mongo.waitForAll(),
  };
}

/** Clients still reach it, and nobody else does: what it acknowledges must not be rolled back. */
async function partition(cluster: Cluster): Promise<Strike> {
  const primary = await cluster.mongo.primary();
  const own = `mongo-${String(primary.index)}`;
  const all = cluster.mongo.members.map(({ index, proxy }) =>
    proxy.impose({
      mode: 'black-hole',
      only: index === primary.index ? isMember : (caller) => caller === own,
    }),
  );
  const { strikes, heal } = imposed(all);
  return {
    strikes,
    note: `member ${String(primary.index)}`,
    heal: async () => {
      await heal();
      await cluster.mongo.waitForAll();
    },
  };
}

/** Of the platform's processes of a kind; the pid-less name is for callers that nobody knows. */
function callersOf(target: string): (caller: string) => boolean {
  return (caller) => caller.startsWith(target);
}

type LinkRow = readonly [
  name: string,
  summary: string,
  covers: readonly string[],
  rule: Omit<Rule, 'only'>,
  seconds: readonly [number, number],
];

/** The head of an `insert` into the collection `operations`, as BSON has it. */
const INSERT_OPERATIONS = 'insert\0\x0b\0\0\0operations\0';
const COMMIT = 'commitTransaction\0';

const LINKS: readonly LinkRow[] = [
  ['mongo-cut', 'connections to MongoDB reset', ['F16'], { mode: 'cut' }, [1, 2]],
  ['mongo-refused', 'MongoDB refuses connections', ['F16'], { mode: 'refuse' }, [2, 8]],
  [
    'mongo-black-hole',
    'nothing arrives at MongoDB, no connection breaks',
    ['F12'],
    { mode: 'black-hole' },
    [4, 12],
  ],
  [
    'mongo-replies-lost',
    'MongoDB does as it is told, its answers are lost',
    ['F16'],
    { mode: 'lose-replies' },
    [3, 8],
  ],
  [
    'mongo-commit-reply-lost',
    'commits happen, their answers are lost',
    ['F16'],
    { mode: 'lose-replies', match: COMMIT },
    [3, 8],
  ],
  [
    'mongo-insert-cut',
    'inserts of operations are cut in the middle',
    ['F16'],
    { mode: 'cut-request', match: INSERT_OPERATIONS, afterBytes: 200 },
    [2, 6],
  ],
  [
    'mongo-insert-reply-cut',
    'answers to inserts of operations are cut in the middle',
    ['F16'],
    { mode: 'cut-reply', match: INSERT_OPERATIONS },
    [2, 6],
  ],
  [
    'mongo-requests-cut',
    'one request after the other is cut in the middle',
    ['F16'],
    { mode: 'cut-request', afterBytes: 40, times: 10 },
    [2, 6],
  ],
  [
    'mongo-delay',
    'MongoDB is 200 to 400 ms away',
    ['F15'],
    { mode: 'delay', delayMs: 200, jitterMs: 200 },
    [4, 10],
  ],
  [
    'mongo-far',
    'MongoDB is 1 to 2 s away',
    ['F15'],
    { mode: 'delay', delayMs: 1_000, jitterMs: 1_000 },
    [4, 8],
  ],
  [
    'mongo-slow-line',
    '20 kB a second to and from MongoDB',
    ['F15'],
    { mode: 'slow', bytesPerSecond: 20_000 },
    [4, 8],
  ],
];

/** All of a kind, or one of them: then the others see nothing of it. */
function targetsOf(name: string): readonly string[] {
  if (name.includes('insert')) return ['api', 'api-1'];
  return name.includes('commit') ? ['worker', 'worker-2'] : ['api', 'api-2', 'worker', 'worker-1'];
}

const LINK_FAULTS: readonly FaultKind[] = LINKS.map(([name, summary, covers, rule, seconds]) => ({
  name,
  summary,
  covers,
  targets: targetsOf(name),
  claims: links,
  seconds,
  strike: async ({ cluster, target }) =>
    onAllMembers(cluster, { ...rule, only: callersOf(target) }),
}));

const MEMBER_FAULTS: readonly FaultKind[] = [
  {
    name: 'kill-primary',
    summary: 'kill -9 of the primary',
    covers: ['F11'],
    targets: ['primary'],
    claims: members,
    seconds: [3, 8],
    strike: ({ cluster, target }) => signalled(cluster, target, 'kill'),
  },
  {
    name: 'kill-secondary',
    summary: 'kill -9 of a secondary',
    covers: ['F11'],
    targets: ['secondary'],
    claims: members,
    seconds: [3, 8],
    strike: ({ cluster, target }) => signalled(cluster, target, 'kill'),
  },
  {
    name: 'pause-primary',
    summary: 'the primary stopped, then continued',
    covers: ['F12'],
    targets: ['primary'],
    claims: members,
    seconds: { production: [8, 16], quick: [5, 8] },
    strike: ({ cluster, target }) => signalled(cluster, target, 'pause'),
  },
  {
    name: 'pause-secondary',
    summary: 'a secondary stopped, then continued',
    covers: ['F12'],
    targets: ['secondary'],
    claims: members,
    seconds: [4, 12],
    strike: ({ cluster, target }) => signalled(cluster, target, 'pause'),
  },
  {
    name: 'step-down',
    summary: 'the primary steps down',
    covers: ['F13'],
    targets: ['primary'],
    claims: members,
    seconds: [1, 3],
    strike: ({ cluster }) => stepDown(cluster),
  },
  {
    name: 'partition-primary',
    summary: 'the primary is cut off from the other members, and clients still reach it',
    covers: ['F14'],
    targets: ['primary'],
    claims: members,
    seconds: [6, 12],
    strike: ({ cluster }) => partition(cluster),
  },
];

export const MONGO_FAULTS: readonly FaultKind[] = [...MEMBER_FAULTS, ...LINK_FAULTS];
