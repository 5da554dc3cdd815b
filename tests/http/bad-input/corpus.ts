import { LIMITS } from '../../../config/limits.ts';
import type { Ask } from '../../support/api.ts';

/** Requests that have to be refused, with the code and the place that the answer has to name. */
export interface BadRequest {
  readonly name: string;
  readonly body: unknown;
  readonly code: string;
  readonly status?: number;
  readonly pointer?: string;
  readonly path?: string;
  readonly headers?: Ask['headers'];
}

export const credit = (input: object = {}, envelope: object = {}) => ({
  type: 'wallet.credit',
  input: { userId: 'ann', currency: 'EUR', amount: '100', ...input },
  ...envelope,
});
const transfer = (input: object = {}) => ({
  type: 'transfer',
  input: { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: '5', ...input },
});
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const wallets = (currency: string) => ({
  userId: 'ann',
  wallets: [{ currency: 'EUR' }, { currency }],
});
const amounts = {
  'a float': 0.5,
  zero: 0,
  'a negative number': -1,
  '2^53 + 1 as a number': '9007199254740993',
  '10^16': '"10000000000000000"',
  'an exponent': '"1e3"',
  'a leading zero': '"007"',
  'Arabic digits': '"١٢"',
  infinity: '1e999',
  'a query operator': '{"$gt":""}',
  nothing: 'null',
  'a list': '["1"]',
  'a boolean': 'true',
} as const;

const amountCases: readonly BadRequest[] = Object.entries(amounts).map(([name, value]) => ({
  name: `an amount that is ${name}`,
  body: `{"type":"wallet.credit","input":{"userId":"ann","currency":"EUR","amount":${value}}}`,
  code: 'invalid_request',
  pointer: '/input/amount',
}));

const shapeCases: readonly BadRequest[] = [
  {
    name: 'an unknown type',
    body: { type: 'wallet.steal', input: {} },
    code: 'unknown_operation_type',
    pointer: '/type',
  },
  {
    name: 'a type from the prototype',
    body: { type: 'constructor', input: {} },
    code: 'unknown_operation_type',
    pointer: '/type',
  },
  { name: 'no type', body: { input: {} }, code: 'invalid_request', pointer: '/type' },
  {
    name: 'no input',
    body: { type: 'wallet.credit' },
    code: 'invalid_request',
    pointer: '/input',
  },
  {
    name: 'an unknown field',
    body: credit({}, { note: 'x' }),
    code: 'invalid_request',
    pointer: '/note',
  },
  {
    name: 'an unknown field in the input',
    body: credit({ 'a/b~c': 1 }),
    code: 'invalid_request',
    pointer: '/input/a~1b~0c',
  },
  {
    name: 'an idempotency key in the body of a single operation',
    body: credit({}, { idempotencyKey: 'k' }),
    code: 'invalid_request',
    pointer: '/idempotencyKey',
  },
  {
    name: 'a currency that does not look like one',
    body: credit({ currency: 'eur' }),
    code: 'invalid_request',
    pointer: '/input/currency',
  },
  {
    name: 'a currency that nobody knows',
    body: credit({ currency: 'XQQ' }),
    code: 'invalid_request',
    pointer: '/input/currency',
  },
  {
    name: 'an unknown currency deep inside',
    body: { type: 'user.create', input: wallets('XQQ') },
    code: 'invalid_request',
    pointer: '/input/wallets/1/currency',
  },
  {
    name: 'an unknown currency in a batch',
    body: { type: 'batch', input: { operations: [credit(), credit({ currency: 'XQQ' })] } },
    code: 'invalid_request',
    pointer: '/input/operations/1/input/currency',
  },
  {
    name: 'an unknown type in a batch',
    body: { type: 'batch', input: { operations: [{ type: 'batch', input: {} }] } },
    code: 'invalid_request',
    pointer: '/input/operations/0/type',
  },
  {
    name: 'a self-transfer',
    body: transfer({ toUserId: 'ann' }),
    code: 'invalid_request',
    pointer: '/input/toUserId',
  },
  {
    name: 'a system wallet as the payer',
    body: transfer({ fromUserId: 'sys:world#1' }),
    code: 'invalid_request',
    pointer: '/input/fromUserId',
  },
  {
    name: 'a query operator for a user',
    body: credit({ userId: { $gt: '' } }),
    code: 'invalid_request',
    pointer: '/input/userId',
  },
  {
    name: '__proto__ in the input',
    body: '{"type":"wallet.credit","input":{"__proto__":{"amount":"1"}}}',
    code: 'invalid_request',
    pointer: '/input/__proto__',
  },
  {
    name: '__proto__ in the metadata',
    body: '{"type":"wallet.credit","input":{},"metadata":{"__proto__":"1"}}',
    code: 'invalid_request',
    pointer: '/metadata/__proto__',
  },
  {
    name: 'a dotted key in the metadata',
    body: credit({}, { metadata: { 'a.b': 'c' } }),
    code: 'invalid_request',
    pointer: '/metadata/a.b',
  },
  {
    name: 'a query operator in the metadata',
    body: credit({}, { metadata: { $where: '1' } }),
    code: 'invalid_request',
    pointer: '/metadata/$where',
  },
  {
    name: 'metadata that is not text',
    body: credit({}, { metadata: { a: { $gt: '' } } }),
    code: 'invalid_request',
    pointer: '/metadata/a',
  },
  {
    name: 'a deadline that has passed',
    body: credit({}, { preconditions: { expiresAt: '2020-01-01T00:00:00Z' } }),
    code: 'invalid_request',
    pointer: '/preconditions/expiresAt',
  },
  {
    name: 'a condition that the type cannot check',
    body: {
      type: 'user.create',
      input: { userId: 'ann' },
      preconditions: { ifAvailableAtLeast: '1' },
    },
    code: 'invalid_request',
    pointer: '/preconditions/ifAvailableAtLeast',
  },
  { name: 'a body that is a list', body: [credit()], code: 'invalid_request', pointer: '' },
  { name: 'a body that is null', body: 'null', code: 'invalid_request', pointer: '' },
];

const textCases: readonly BadRequest[] = [
  { name: 'JSON that breaks off', body: '{"type": "wall', code: 'invalid_json', pointer: '' },
  { name: 'an empty body', body: '', code: 'invalid_json', pointer: '' },
  { name: 'JSON with NaN', body: '{"type": NaN}', code: 'invalid_json', pointer: '' },
  {
    name: 'nesting beyond the limit',
    body: `{"type":"wallet.credit","input":${nested(LIMITS.jsonDepthMax)}}`,
    code: 'too_deep',
  },
  { name: 'nesting without end', body: nested(100_000), code: 'too_deep' },
  {
    name: 'invalid UTF-8',
    body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
    code: 'invalid_encoding',
  },
  {
    name: 'half a surrogate pair',
    body: '{"type":"wallet.credit","input":{"description":"\\ud800"}}',
    code: 'invalid_encoding',
    pointer: '/input/description',
  },
  {
    name: 'a byte more than 1 MB',
    body: `${JSON.stringify(credit())}${' '.repeat(LIMITS.bodyBytesMax)}`.slice(
      0,
      LIMITS.bodyBytesMax + 1,
    ),
    code: 'body_too_large',
    status: 413,
  },
  {
    name: 'the wrong content type',
    body: JSON.stringify(credit()),
    headers: { 'content-type': 'text/plain' },
    code: 'unsupported_media_type',
    status: 415,
  },
  {
    name: 'another charset',
    body: JSON.stringify(credit()),
    headers: { 'content-type': 'application/json; charset=utf-16' },
    code: 'unsupported_media_type',
    status: 415,
  },
  {
    name: 'a compressed body',
    body: JSON.stringify(credit()),
    headers: { 'content-encoding': 'gzip' },
    code: 'unsupported_media_type',
    status: 415,
  },
  {
    name: 'NDJSON for a single operation',
    body: JSON.stringify(credit()),
    headers: { 'content-type': 'application/x-ndjson' },
    code: 'unsupported_media_type',
    status: 415,
  },
];

const keyCases: readonly BadRequest[] = [
  {
    name: 'no idempotency key',
    headers: { 'idempotency-key': '' },
    code: 'idempotency_key_required',
  },
  {
    name: 'an idempotency key of 256 characters',
    headers: { 'idempotency-key': 'k'.repeat(256) },
    code: 'idempotency_key_invalid',
  },
  {
    name: 'an idempotency key beyond ASCII',
    headers: { 'idempotency-key': 'cl\u00e9' },
    code: 'idempotency_key_invalid',
  },
  {
    name: 'an idempotency key with a tab',
    headers: { 'idempotency-key': 'a\tb' },
    code: 'idempotency_key_invalid',
  },
  {
    name: 'an idempotency key with an open quote',
    headers: { 'idempotency-key': '"abc' },
    code: 'idempotency_key_invalid',
  },
  {
    name: 'a correlation id with a tab',
    headers: { 'x-correlation-id': 'a\tb' },
    code: 'invalid_header',
  },
  {
    name: 'a correlation id that is too long',
    headers: { 'x-correlation-id': 'a'.repeat(LIMITS.correlationIdCharsMax + 1) },
    code: 'invalid_header',
  },
].map((one) => ({ ...one, body: credit() }));

const bulkCases: readonly BadRequest[] = [
  { name: 'a bulk that is not a list', body: credit(), code: 'invalid_request', pointer: '' },
  { name: 'an empty bulk', body: [], code: 'invalid_request', pointer: '' },
  {
    name: 'a bulk of 1,001',
    body: Array.from({ length: LIMITS.bulkItemsMax + 1 }, () => 1),
    code: 'invalid_request',
    pointer: '',
  },
  {
    name: 'NDJSON of nothing but broken lines',
    body: '{"type": \n\n[}\n',
    headers: { 'content-type': 'application/x-ndjson' },
    code: 'invalid_json',
    pointer: '/0',
  },
].map((one) => ({ ...one, path: '/v1/operations/bulk' }));

const aliasCases: readonly BadRequest[] = [
  {
    name: 'an alias with a wrong amount',
    path: '/v1/credits',
    body: { userId: 'ann', currency: 'EUR', amount: '-5' },
    code: 'invalid_request',
    pointer: '/amount',
  },
  {
    name: 'an alias with a type',
    path: '/v1/credits',
    body: credit(),
    code: 'invalid_request',
    pointer: '/type',
  },
  {
    name: 'an alias whose path states what the body states again',
    path: '/v1/holds/hld_00000000000000000000000000000000/release',
    body: { holdId: 'hld_00000000000000000000000000000001' },
    code: 'invalid_request',
    pointer: '/holdId',
  },
  {
    name: 'an alias whose path is not an id',
    path: '/v1/transfers/everything/reverse',
    body: {},
    code: 'invalid_request',
    pointer: '/transferId',
  },
];

export const BAD_REQUESTS: readonly BadRequest[] = [
  shapeCases,
  amountCases,
  textCases,
  keyCases,
  bulkCases,
  aliasCases,
].flat();
