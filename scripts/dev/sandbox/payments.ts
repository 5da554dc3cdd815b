/** What the sandbox provider remembers: one record per idempotency key. Pure in-memory state. */
export const PAYMENT_KINDS = ['authorisations', 'captures', 'payouts'] as const;
export type PaymentKind = (typeof PAYMENT_KINDS)[number];

/**
 * Instruments that begin like this fail at that step: a demo needs no `/faults`.
 * `decline-authorisation`, `decline-capture`, `decline-payout`.
 */
const MAGIC = {
  authorisations: 'decline-authorisation',
  captures: 'decline-capture',
  payouts: 'decline-payout',
} as const satisfies Record<PaymentKind, string>;

export interface PaymentRecord {
  readonly key: string;
  readonly kind: PaymentKind | 'tombstone';
  readonly status: 'succeeded' | 'declined';
  readonly reference?: string;
  readonly reason?: string;
  readonly isVoided: boolean;
  readonly body: string;
  readonly amount: string;
  readonly currency: string;
  /** Times that the key has been sent. */
  readonly deliveries: number;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly isReplay?: true;
}

export interface PayRequest {
  readonly kind: PaymentKind;
  readonly key: string;
  readonly body: string;
}

export interface Payments {
  pay(request: PayRequest, decline?: string): Answer;
  void(key: string): Answer;
  find(key: string): Answer;
  list(): readonly PaymentRecord[];
}

interface Wanted {
  readonly amount: string;
  readonly currency: string;
  readonly instrument?: string;
  readonly of?: string;
}

export function createPayments(): Payments {
  const records = new Map<string, PaymentRecord>();

  const decide = (kind: PaymentKind, wanted: Wanted, decline?: string): string | undefined => {
    if (decline !== undefined) return decline;
    if (wanted.instrument?.startsWith(MAGIC[kind]) === true) return 'the instrument says so';
    if (kind !== 'captures') return undefined;
    const authorised = records.get(wanted.of ?? '');
    const isOpen = authorised?.status === 'succeeded' && !authorised.isVoided;
    return isOpen ? undefined : 'there is no open authorisation';
  };

  return {
    pay: ({ kind, key, body }, decline) => {
      const known = records.get(key);
      if (known !== undefined) {
        records.set(key, { ...known, deliveries: known.deliveries + 1 });
        if (known.kind === 'tombstone' || known.isVoided) return voided();
        if (known.kind !== kind || known.body !== body) {
          return { status: 422, body: { reason: 'the key belongs to another request' } };
        }
        return { ...answerOf(known), isReplay: true };
      }
      const wanted = JSON.parse(body) as Wanted;
      const reason = decide(kind, wanted, decline);
      const outcome =
        reason === undefined
          ? ({ status: 'succeeded', reference: `sbx_${String(records.size + 1)}` } as const)
          : ({ status: 'declined', reason } as const);
      const { amount, currency } = wanted;
      const record = {
        key,
        kind,
        body,
        amount,
        currency,
        isVoided: false,
        deliveries: 1,
        ...outcome,
      };
      records.set(key, record);
      return answerOf(record);
    },
    void: (key) => {
      const known = records.get(key);
      if (known === undefined) {
        const nothing = { body: '', amount: '0', currency: '', deliveries: 0, isVoided: true };
        records.set(key, { key, kind: 'tombstone', status: 'declined', ...nothing });
        return { status: 200, body: { status: 'voided' } };
      }
      const isFinal = known.status === 'succeeded' && known.kind !== 'authorisations';
      if (isFinal && known.kind !== 'tombstone') {
        return { status: 422, body: { reason: 'the money has moved' } };
      }
      records.set(key, { ...known, isVoided: true });
      return { status: 200, body: { status: 'voided' } };
    },
    find: (key) => {
      const known = records.get(key);
      if (known === undefined) return { status: 404, body: {} };
      return known.kind === 'tombstone' || known.isVoided
        ? { status: 200, body: voided().body }
        : { ...answerOf(known), status: 200 };
    },
    list: () => [...records.values()],
  };
}

function voided(): Answer {
  return { status: 409, body: { status: 'declined', reason: 'voided' } };
}

function answerOf({ status, reference, reason }: PaymentRecord): Answer {
  return { status: status === 'succeeded' ? 201 : 402, body: { status, reference, reason } };
}
