import type { Seen } from './finding.ts';

/** The numbers that the analysers judge: read side by side, each of them may be missing. */
export interface HealthSample {
  readonly now: Date;
  readonly money: Seen<MoneySample>;
  readonly flow: Seen<FlowSample>;
  readonly execution: Seen<ExecutionSample>;
  readonly breakers: Seen<readonly BreakerSample[]>;
  readonly liveness: Seen<LivenessSample>;
  readonly mongo: Seen<MongoSample>;
  readonly redis: Seen<RedisSample>;
  /** Of the process that answers. */
  readonly process: ProcessSample;
}

export interface MoneySample {
  readonly entries: number;
  readonly operations: number;
  /** Operations whose entries do not add up to nothing. */
  readonly unbalanced: readonly string[];
  readonly wallets: number;
  /** Wallets that say another balance than their last entry. */
  readonly disagreeing: readonly string[];
}

export interface FlowSample {
  readonly backlog: number;
  readonly backlogMax: number;
  readonly oldestAt?: Date;
  readonly tenants: number;
  readonly largestTenantBacklog: number;
  /** What it was, and when, as far back as this process knows. */
  readonly earlier?: { readonly backlog: number; readonly at: Date };
}

export interface ExecutionSample {
  readonly needsAttention: number;
  readonly retrying: number;
  readonly deliveriesRetrying: number;
  readonly deliveriesBehindBreakers: number;
  /** Of the newest deliveries that have ended. */
  readonly deliveriesEnded: number;
  readonly deliveriesFailed: number;
}

export interface BreakerSample {
  readonly provider: string;
  readonly state: 'closed' | 'open' | 'held' | 'unknown';
  readonly until?: Date;
}

export interface LivenessSample {
  readonly workers: number;
  readonly settlementWorkers: number;
  readonly lanes: number;
  /** Lanes whose lease has run out, or that have none. */
  readonly unowned: readonly number[];
  /** Until when the sweeper's lease runs or ran; absent: nobody has ever swept, or all have left. */
  readonly sweepUntil?: Date;
  readonly sweepLeaseMs: number;
}

export interface MongoSample {
  readonly isPrimary: boolean;
  readonly tookMs: number;
  readonly setName: string;
  readonly members: number;
  readonly lagMs: number;
}

export interface RedisSample {
  readonly role: string;
  readonly tookMs: number;
  readonly policy: string;
  readonly usedBytes: number;
  /** 0: none. */
  readonly maxBytes: number;
  readonly hasAof: boolean;
}

export interface ProcessSample {
  readonly loopP99Seconds: number;
  readonly loopMaxSeconds: number;
  readonly poolWaiters: number;
  readonly poolInUse: number;
  readonly poolSize: number;
}
