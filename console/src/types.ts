/** What the endpoints answer, as far as the console reads it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status?: number;
  readonly detail: string;
  readonly code: string;
  readonly correlationId?: string;
  readonly errors?: readonly {
    readonly pointer?: string;
    readonly parameter?: string;
    readonly detail: string;
  }[];
}

export interface Step {
  readonly name: string;
  readonly status: string;
  readonly attempt: number;
  readonly worker?: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly detail: string };
  readonly retryAt?: string;
  readonly undoAttempt?: number;
  readonly undoneAt?: string;
}

export interface Operation {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly input?: unknown;
  readonly result?: unknown;
  readonly error?: Problem;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly dryRun?: true;
  readonly runAt?: string;
  readonly deadline?: string;
  readonly waitingFor?: {
    readonly signal: string;
    readonly step?: string;
    readonly until?: string;
  };
  readonly steps?: readonly Step[];
  readonly resolution?: { readonly note: string; readonly at: string; readonly by: string };
  readonly idempotencyKey: string;
  readonly correlationId: string;
  readonly createdAt: string;
  readonly completedAt?: string;
}

export interface Entry {
  readonly id: string;
  readonly operationId: string;
  readonly walletId: string;
  readonly userId: string;
  readonly currency: string;
  readonly balanceType: string;
  readonly direction: string;
  readonly amount: string;
  readonly balanceAfter: string;
  readonly seq: number;
  readonly description?: string;
  readonly createdAt: string;
}

export interface TimelineEvent {
  readonly at: string;
  readonly event: string;
  readonly [detail: string]: unknown;
}

export interface Timeline {
  readonly events: readonly TimelineEvent[];
  readonly entries: readonly Entry[];
  readonly deliveries: readonly DeliveryBrief[];
}

export interface DeliveryBrief {
  readonly id: string;
  readonly channel: string;
  readonly status: string;
  readonly event: { readonly id: string; readonly name: string; readonly at: string };
  readonly userId?: string;
  readonly endpointId?: string;
  readonly attemptCount: number;
  readonly lastAttemptAt?: string;
  readonly provider?: string;
  readonly reason?: string;
  readonly deferral?: {
    readonly code: string;
    readonly provider?: string;
    readonly until: string;
    readonly times: number;
  };
  readonly createdAt: string;
  readonly completedAt?: string;
}

export interface Delivery extends DeliveryBrief {
  readonly operationId?: string;
  readonly category: string;
  readonly address: unknown;
  readonly template: unknown;
  readonly attemptsUsed: number;
  readonly resends?: number;
  readonly notBefore?: string;
  readonly expiresAt: string;
}

export interface Attempt {
  readonly at: string;
  readonly outcome: string;
  readonly provider: string;
  readonly code?: string;
  readonly detail?: string;
  readonly status?: number;
  readonly ms: number;
}

export interface DeliveryDetail extends Delivery {
  readonly content?: unknown;
  readonly data?: unknown;
  readonly attempts: readonly Attempt[];
}

export interface WebhookEndpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly description?: string;
  readonly status: 'enabled' | 'disabled';
  readonly disabledReason?: string;
  readonly failingSince?: string;
  readonly secret?: string;
  readonly oldSecretUntil?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface User {
  readonly id: string;
  readonly userId: string;
  readonly displayName?: string;
  readonly contacts?: Readonly<Record<string, string>>;
  readonly status: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Wallet {
  readonly id: string;
  readonly userId: string;
  readonly currency: string;
  readonly status: string;
  readonly balance: string;
  readonly bonusBalance: string;
  readonly lockedBalance: string;
  readonly overdraftLimit: string;
  readonly available: string;
  readonly seq: number;
  readonly totalCredited: string;
  readonly totalDebited: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Template {
  readonly id?: string;
  readonly name: string;
  readonly channel?: string;
  readonly locale: string;
  readonly version?: number;
  readonly subject?: string;
  readonly text: string;
}

export interface Rules {
  readonly items: readonly { readonly event: string; readonly channels: readonly string[] }[];
  readonly builtIn: readonly {
    readonly event: string;
    readonly category: string;
    readonly channels: readonly string[];
  }[];
}

export interface Suppression {
  readonly id: string;
  readonly channel: string;
  readonly address: string;
  readonly reason: string;
  readonly createdAt: string;
}

export interface QueueDepth {
  readonly queue: string;
  readonly pool: string;
  readonly waiting: number;
  readonly prioritised: number;
  readonly delayed: number;
  readonly due: number;
  readonly active: number;
  readonly oldestWaitSeconds: number;
  readonly workers: number;
}

export interface Autoscale {
  readonly pools: Readonly<
    Record<
      string,
      {
        readonly workers: number;
        readonly backlog: number;
        readonly oldestWaitSeconds: number;
        readonly recommendedReplicas: number;
      }
    >
  >;
  readonly queues: readonly QueueDepth[];
}

export interface Readiness {
  readonly status: string;
  readonly dependencies: Readonly<
    Record<string, { readonly ok: boolean; readonly reason?: string; readonly tookMs: number }>
  >;
}

export interface Session {
  readonly operator: string;
  readonly endsAt: string;
  readonly formToken: string;
  readonly tenants: readonly {
    readonly id: string;
    readonly status: string;
    readonly currencies: readonly string[];
  }[];
  readonly hasMoreTenants: boolean;
  readonly words: {
    readonly operationTypes: readonly string[];
    readonly statuses: readonly string[];
    readonly openStatuses: readonly string[];
    readonly resolvedStatuses: readonly string[];
    readonly channels: readonly string[];
    readonly deliveryStatuses: readonly string[];
  };
  readonly endpoints: Readonly<Record<string, string>>;
}
