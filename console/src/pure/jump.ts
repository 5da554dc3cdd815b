/** Somewhere that a text which was pasted or typed may lead. */
export interface Jump {
  readonly label: string;
  readonly href: string;
}

const at = (path: string, id: string): string => `/admin/${path}/${encodeURIComponent(id)}`;
const listOf = (name: string, value: string): string =>
  `/admin/operations?${new URLSearchParams({ [name]: value }).toString()}`;

interface Kind {
  readonly pattern: RegExp;
  readonly jumps: (id: string) => readonly Jump[];
}

/** What an operation has created has its id from it, an item of a batch with its number. */
const operationOf = (id: string): string => `op_${id.slice(4, 36)}`;

const KINDS: readonly Kind[] = [
  {
    pattern: /^op_[0-9a-f]{32}$/,
    jumps: (id) => [
      { label: `Operation ${id}`, href: at('operations', id) },
      { label: `Deliveries of ${id}`, href: `/admin/deliveries?operationId=${id}` },
    ],
  },
  {
    pattern: /^trf_[0-9a-f]{32}(-\d{1,4})?$/,
    jumps: (id) => [
      { label: `Operation of transfer ${id}`, href: at('operations', operationOf(id)) },
    ],
  },
  {
    pattern: /^hld_[0-9a-f]{32}(-\d{1,4})?$/,
    jumps: (id) => [{ label: `Operation of hold ${id}`, href: at('operations', operationOf(id)) }],
  },
  {
    pattern: /^wal_[0-9a-f]{32}$/,
    jumps: (id) => [{ label: `Wallet ${id}`, href: at('wallets', id) }],
  },
  {
    pattern: /^dlv_\w+(?:-\w+)*$/,
    jumps: (id) => [{ label: `Delivery ${id}`, href: at('deliveries', id) }],
  },
  {
    pattern: /^whk_[0-9a-f]{32}$/,
    jumps: (id) => [
      { label: `Webhook endpoint ${id}`, href: at('webhooks', id) },
      { label: `Deliveries to ${id}`, href: `/admin/deliveries?endpointId=${id}` },
    ],
  },
];

/** An id inside of more text: a log line, a link, a job of a queue. */
const EMBEDDED = /\b(?:op|trf|hld|wal|whk)_[0-9a-f]{32}(?:-\d{1,4})?/;

/** Where a text may lead, the most likely first. */
export function jumpsOf(typed: string): readonly Jump[] {
  const text = typed.trim();
  if (text === '') return [];
  const id = KINDS.some(({ pattern }) => pattern.test(text))
    ? text
    : (EMBEDDED.exec(text)?.[0] ?? text);
  const known = KINDS.find(({ pattern }) => pattern.test(id));
  if (known !== undefined) return known.jumps(id);
  return [
    { label: `User “${text}”`, href: at('users', text) },
    { label: `Operations of user “${text}”`, href: listOf('userId', text) },
    { label: `Operation with idempotency key “${text}”`, href: listOf('idempotencyKey', text) },
  ];
}
