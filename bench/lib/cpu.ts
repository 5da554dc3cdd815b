import { readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';

const TICKS_PER_SECOND = 100;

/** CPU seconds by who used them, since the machine or the process started. */
export type CpuSeconds = Readonly<Record<'node' | 'mongod' | 'redis' | 'machine' | 'atMs', number>>;

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
    } else if (/redis-server/.test(command) && command.includes(redisPort)) {
      redis.push(Number(name));
    }
  }
  return { mongod, redis, flavour };
}

const sum = (pids: readonly number[]): number =>
  pids.reduce((total, pid) => total + secondsOf(pid), 0);

export function readCpu(pids: readonly number[], servers: ServerPids): CpuSeconds {
  return {
    node: sum(pids),
    mongod: sum(servers.mongod),
    redis: sum(servers.redis),
    machine: machineSeconds(),
    atMs: performance.now(),
  };
}

export interface CpuUse {
  readonly node: number;
  readonly mongod: number;
  readonly redis: number;
  /** Share of the machine's cores that went to neither, this bench's own process included. */
  readonly othersShare: number;
}

export function cpuBetween(before: CpuSeconds, after: CpuSeconds): CpuUse {
  const node = after.node - before.node;
  const mongod = after.mongod - before.mongod;
  const redis = after.redis - before.redis;
  const others = after.machine - before.machine - node - mongod - redis;
  const cores = ((after.atMs - before.atMs) / 1_000) * cpus().length;
  return { node, mongod, redis, othersShare: Math.max(0, others / Math.max(cores, 0.001)) };
}
