/**
 * What a channel sends, and what a provider answers. A provider is one file under `providers/`;
 * it knows its protocol and nothing of deliveries, retries or breakers.
 */
export const CHANNELS = ['email', 'sms', 'push', 'webhook', 'realtime'] as const;
export type Channel = (typeof CHANNELS)[number];

export interface EmailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

export interface SmsMessage {
  /** E.164. */
  readonly to: string;
  readonly text: string;
}

/** Where a push goes: an FCM registration token, or a browser's subscription (RFC 8030). */
export type PushTarget =
  | { readonly kind: 'fcm'; readonly token: string }
  | {
      readonly kind: 'webpush';
      readonly endpoint: string;
      readonly keys: { readonly p256dh: string; readonly auth: string };
    };

export interface PushMessage {
  readonly target: PushTarget;
  readonly title: string;
  readonly body: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface WebhookMessage {
  readonly url: string;
  /** `whsec_…`, newest first; during a rotation the old one signs too. */
  readonly secrets: readonly string[];
  /** `webhook-id`: the same on every attempt. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/** One event on its way to the streams and sockets of a tenant or of one of its users. */
export interface RealtimeMessage {
  readonly tenantId: string;
  readonly userId?: string;
  readonly id: string;
  /** When that happened which it tells of. */
  readonly at: Date;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Messages {
  readonly email: EmailMessage;
  readonly sms: SmsMessage;
  readonly push: PushMessage;
  readonly webhook: WebhookMessage;
  readonly realtime: RealtimeMessage;
}

export interface SendTools {
  /**
   * The same on every attempt: idempotency key where the provider has such. Another one when a
   * person has it sent again, since what knows the first would drop the second.
   */
  readonly key: string;
  /** Aborts at the deadline of the attempt. */
  readonly signal: AbortSignal;
  /** Milliseconds by the database's clock, which receivers may hold us to: ours may be anywhere. */
  readonly now: () => number;
}

/**
 * What came of one attempt.
 *
 * - `sent`: the provider took it.
 * - `permanent`: no attempt will ever succeed (bad address, 410 Gone); `isGone`: forget the target.
 * - `throttled`: later, and no attempt is used up.
 * - `transient`: this message failed, the provider is well.
 * - `fault`: the provider is unwell; counts towards its circuit breaker. `mayHaveSent`: it may have
 *   got through nevertheless (a time-out after the message had been handed over).
 */
export type SendOutcome =
  | { readonly kind: 'sent'; readonly reference?: string; readonly status?: number }
  | {
      readonly kind: 'permanent';
      readonly code: string;
      readonly detail: string;
      readonly isGone?: boolean;
      readonly status?: number;
    }
  | {
      readonly kind: 'throttled';
      /** What the other side asked for; 0: nothing, in so many words. */
      readonly retryAfterMs?: number;
      readonly status?: number;
    }
  | {
      readonly kind: 'transient';
      readonly code: string;
      readonly detail: string;
      readonly status?: number;
    }
  | {
      readonly kind: 'fault';
      readonly code: string;
      readonly detail: string;
      readonly mayHaveSent: boolean;
      /** What the provider asked for (`Retry-After`). */
      readonly retryAfterMs?: number;
      readonly status?: number;
    };

export interface Provider<C extends Channel> {
  /** `smtp`, `twilio`, `fcm`, `webpush`, `webhook`: as shown in the delivery log and in metrics. */
  readonly name: string;
  readonly channel: C;
  /**
   * Whose breaker this message falls under: the provider; for webhooks and Web Push the host, each
   * tenant's by itself, since it is the tenant who chooses it.
   */
  breakerKey(message: Messages[C], tenantId: string): string;
  /** Whether this provider can take the message (a push target of its own kind). */
  accepts(message: Messages[C]): boolean;
  /** Never rejects for what the other side does; a throw is a bug. */
  send(message: Messages[C], tools: SendTools): Promise<SendOutcome>;
  /** Closes pooled connections. */
  close(): Promise<void>;
}

/** The providers of each channel, in the order of preference. */
export type Providers = { readonly [C in Exclude<Channel, 'realtime'>]: readonly Provider<C>[] };
