import { readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';

const TICKS_PER_SECOND = 100;

type Who = 'node' | 'load' | 'own' | 'mongod' | 'redis';

/** CPU seconds by who used them, since the machine or the process started. */
export type CpuSeconds = Readonly<Record<Who | 'machine' | 'atMs', number>>;

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

/** User and system time of a process, its waited-for children left out. */
function secondsOf(pid: number): number {
  const fields = readText(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** Busy time of the whole machine, all cores together. */
function machineSeconds(): number {
  const [first = ''] = readText('/proc/stat').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = first
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

export interface ServerPids {
  /** Under wine with the wineserver, without which it cannot do anything. */
  readonly mongod: readonly number[];
  readonly redis: readonly number[];
  /** `native`, or `wine` where the Windows build runs under it. */
  readonly flavour: 'native' | 'wine' | 'unknown';
}

/** The server processes behind ports of this machine; empty lists for servers elsewhere. */
export function findServers(mongoUrl: string, redisUrl: string): ServerPids {
  const ports = [...mongoUrl.matchAll(/:(\d+)/g)].map(([, port]) => port);
  const redisPort = /:(\d+)/.exec(redisUrl)?.[1] ?? '6379';
  const mongod: number[] = [];
  const redis: number[] = [];
  let flavour: ServerPids['flavour'] = 'unknown';
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const command = readText(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
    const port = /--port[ =](\d+)/.exec(command)?.[1];
    if (/mongod(\.exe)?\b/i.test(command) && port !== undefined && ports.includes(port)) {
      mongod.push(Number(name));
      flavour = command.includes('.exe') ? 'wine' : 'native';
      if (flavour === 'wine') mongod.push(...findWineservers(prefixOf(name)));
    } else if (/redis-server/.test(command) && command.includes(redisPort)) {
      redis.push(Number(name));
    }
  }
  return { mongod, redis, flavour };
}

function prefixOf(pid: string): string | undefined {
  return /(?:^|\0)WINEPREFIX=([^\0]*)/.exec(readText(`/proc/${pid}/environ`))?.[1];
}

function findWineservers(prefix: string | undefined): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => /^wineserver/.test(readText(`/proc/${pid}/comm`)))
    .filter((pid) => prefix !== undefined && prefixOf(pid) === prefix)
    .map(Number);
}

const sum = (pids: readonly number[]): number =>
  pids.reduce((total, pid) => total + secondsOf(pid), 0);

export interface Watched {
  /** The processes that are measured. */
  readonly node: readonly number[];
  /** The load generator. */
  readonly load?: readonly number[];
  readonly servers: ServerPids;
}

export function readCpu({ node, load = [], servers }: Watched): CpuSeconds {
  return {
    node: sum(node),
    load: sum(load),
    own: sum([process.pid]),
    mongod: sum(servers.mongod),
    redis: sum(servers.redis),
    machine: machineSeconds(),
    atMs: performance.now(),
  };
}

export interface CpuUse extends Readonly<Record<Who, number>> {
  /** Share of the machine's cores that went to none of these. */
  readonly othersShare: number;
}

export function cpuBetween(before: CpuSeconds, after: CpuSeconds): CpuUse {
  const used = (who: Who): number => after[who] - before[who];
  const use = {
    node: used('node'),
    load: used('load'),
    own: used('own'),
    mongod: used('mongod'),
    redis: used('redis'),
  };
  const ours = Object.values(use).reduce((total, seconds) => total + seconds, 0);
  const others = after.machine - before.machine - ours;
  const cores = ((after.atMs - before.atMs) / 1_000) * cpus().length;
  return { ...use, othersShare: Math.max(0, others / Math.max(cores, 0.001)) };
}
