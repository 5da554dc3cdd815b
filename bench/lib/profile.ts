import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { BUILT } from './processes.ts';

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

type Frame = z.infer<typeof profileSchema>['nodes'][number]['callFrame'];

export interface Share {
  readonly name: string;
  /** Of the time that the process was not idle. */
  readonly exclusive: number;
  readonly inclusive: number;
}

export interface ProfileSummary {
  readonly busySeconds: number;
  readonly idleSeconds: number;
  /** Of the busy time. */
  readonly collectorShare: number;
  readonly packages: readonly Share[];
  readonly functions: readonly Share[];
}

/** `bullmq`, `mongodb`, our own top folders, `node`, and what the engine does by itself. */
function packageOf({ url, functionName }: Frame): string {
  const inModules = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(url)?.[1];
  if (inModules !== undefined) return inModules;
  if (url.startsWith('node:')) return 'node';
  if (url.includes(BUILT)) {
    const path = url.slice(url.indexOf(BUILT) + BUILT.length + 1);
    return `sluice ${path.split('/').slice(0, 2).join('/')}`;
  }
  return functionName.startsWith('(') ? functionName : '(native)';
}

function functionOf(frame: Frame): string {
  const file = frame.url.split('/').slice(-2).join('/');
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
  return file === '' ? name : `${name} ${file}:${frame.lineNumber + 1}`;
}

const IDLE = '(idle)';
const COLLECTOR = '(garbage collector)';

interface SummaryOptions {
  /** Microseconds of the monotonic clock; what lies outside counts for nothing. */
  readonly window?: { readonly fromUs: number; readonly toUs: number };
  /** Rows of each list. */
  readonly top?: number;
}

/**
 * Reads a `.cpuprofile`. Idle time counts for nothing; `(program)` is what Node does outside of any
 * JavaScript, such as reading and writing sockets.
 */
export function summarizeProfile(path: string, options: SummaryOptions = {}): ProfileSummary {
  const profile = profileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) {
    for (const child of node.children ?? []) parents.set(child, node.id);
  }
  const packages = createTally();
  const functions = createTally();
  const times = { busy: 0, idle: 0, collector: 0 };
  for (const [id, us] of ownTimes(profile, options.window)) {
    const frame = frames.get(id);
    if (frame === undefined) continue;
    if (frame.functionName === IDLE) {
      times.idle += us;
      continue;
    }
    times.busy += us;
    if (frame.functionName === COLLECTOR) times.collector += us;
    const stack: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const one = frames.get(at);
      if (one !== undefined && one.functionName !== '(root)') stack.push(one);
    }
    packages.add(stack.map(packageOf), us);
    functions.add(stack.map(functionOf), us);
  }
  const { top = 25 } = options;
  return {
    busySeconds: times.busy / 1e6,
    idleSeconds: times.idle / 1e6,
    collectorShare: times.collector / times.busy,
    packages: packages.top(times.busy, top),
    functions: functions.top(times.busy, top),
  };
}

/** Microseconds by node. */
function ownTimes(
  { samples, timeDeltas, startTime }: z.infer<typeof profileSchema>,
  window: SummaryOptions['window'],
): ReadonlyMap<number, number> {
  const own = new Map<number, number>();
  const { fromUs, toUs } = window ?? { fromUs: -Infinity, toUs: Infinity };
  let atUs = startTime;
  for (const [index, id] of samples.entries()) {
    const startUs = atUs;
    atUs += timeDeltas[index] ?? 0;
    // The first sample after a process was frozen lasts as long as that did: only its end counts.
    const us = Math.min(atUs, toUs) - Math.max(startUs, fromUs);
    if (us > 0) own.set(id, (own.get(id) ?? 0) + us);
  }
  return own;
}

/** Exclusive time goes to the innermost name, inclusive time to every name on the stack once. */
function createTally() {
  const exclusive = new Map<string, number>();
  const inclusive = new Map<string, number>();
  return {
    add: (stack: readonly string[], us: number) => {
      const [innermost] = stack;
      if (innermost === undefined) return;
      exclusive.set(innermost, (exclusive.get(innermost) ?? 0) + us);
      for (const name of new Set(stack)) inclusive.set(name, (inclusive.get(name) ?? 0) + us);
    },
    top: (busyUs: number, count: number): readonly Share[] =>
      [...inclusive]
        .map(([name, us]) => ({
          name,
          exclusive: (exclusive.get(name) ?? 0) / busyUs,
          inclusive: us / busyUs,
        }))
        .sort((a, b) => b.exclusive - a.exclusive)
        .slice(0, count),
  };
}
