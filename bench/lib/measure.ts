import type { Log } from '../../scripts/dev/servers/report.ts';
import type { ServerUrls } from './arena.ts';
import type { CpuUse, ServerPids } from './cpu.ts';

/** What a measurement is made with. */
export interface RunDeps {
  readonly urls: ServerUrls;
  readonly servers: ServerPids;
  readonly log: Log;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** What comes out of one measurement of one scenario. */
export interface Sample {
  readonly perSecond: number;
  /** Operations that the CPU use is of. */
  readonly operations: number;
  readonly cpu: CpuUse;
  /** Of the answers, where there are any. */
  readonly latencyMs?: Latency;
  /** Calls to each receiver that is down, until the first probe of its breaker's. */
  readonly deadCalls?: number;
  /** The whole path: operations settled until the last of them was. */
  readonly settledPerSecond?: number;
  /** Latency: of what, and how long it took from the request on. */
  readonly latencies?: Readonly<Record<string, Latency>>;
  /** Webhooks to slow receivers: the most that the calls that may be under way can come to. */
  readonly windowPerSecond?: number;
  /** Shapes: index keys and documents that MongoDB looked at per operation. */
  readonly looks?: number;
  /** Shapes: what was settled besides the hot line. */
  readonly othersPerSecond?: number;
  /** Shapes: the most memory that the worker had. */
  readonly peakMb?: number;
}
