import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ROOT } from './processes.ts';

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).optional(),
    }),
  ),
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
  readonly packages: readonly Share[];
  readonly functions: readonly Share[];
}

/** `bullmq`, `mongodb`, our own top folders, `node`, and what the engine does by itself. */
function packageOf({ url, functionName }: Frame): string {
  const inModules = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(url)?.[1];
  if (inModules !== undefined) return inModules;
  if (url.startsWith('node:')) return 'node';
  if (url.includes(ROOT)) {
    const path = url.slice(url.indexOf(ROOT) + ROOT.length + 1);
    return `sluice ${path.split('/').slice(0, 2).join('/')}`;
  }
  if (functionName === '(garbage collector)') return '(garbage collector)';
  return functionName.startsWith('(') ? functionName : '(native)';
}

function functionOf(frame: Frame): string {
  const file = frame.url.split('/').slice(-2).join('/');
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
  return file === '' ? name : `${name} ${file}:${frame.lineNumber + 1}`;
}

const IDLE: ReadonlySet<string> = new Set(['(idle)', '(program)']);

/** Reads a `.cpuprofile`; idle time counts for nothing. */
export function summarizeProfile(path: string, top = 25): ProfileSummary {
  const profile = profileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) {
    for (const child of node.children ?? []) parents.set(child, node.id);
  }
  const ownUs = new Map<number, number>();
  for (const [index, id] of profile.samples.entries()) {
    ownUs.set(id, (ownUs.get(id) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  const packages = createTally();
  const functions = createTally();
  const times = { busy: 0, idle: 0 };
  for (const [id, us] of ownUs) {
    const frame = frames.get(id);
    if (frame === undefined) continue;
    if (IDLE.has(frame.functionName)) {
      times.idle += us;
      continue;
    }
    times.busy += us;
    const stack: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const one = frames.get(at);
      if (one !== undefined && one.functionName !== '(root)') stack.push(one);
    }
    packages.add(stack.map(packageOf), us);
    functions.add(stack.map(functionOf), us);
  }
  return {
    busySeconds: times.busy / 1e6,
    idleSeconds: times.idle / 1e6,
    packages: packages.top(times.busy, top),
    functions: functions.top(times.busy, top),
  };
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
