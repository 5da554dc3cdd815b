import { z } from 'zod';
import type { ErrorCode } from '../../core/kernel/errors.ts';
import type { Endpoint } from '../http/endpoint.ts';

/** Of whatever is asked. */
const ALWAYS: readonly ErrorCode[] = ['invalid_request', 'invalid_header', 'internal'];
const KEYED: readonly ErrorCode[] = [
  ...(['unauthenticated', 'forbidden', 'tenant_suspended', 'tenant_closed'] as const),
  ...(['rate_limited', 'identity_unavailable', 'ledger_unavailable'] as const),
];
const BODY: readonly ErrorCode[] = [
  'invalid_json',
  'invalid_encoding',
  'too_deep',
  'body_too_large',
  'unsupported_media_type',
  'bodies_full',
];

const KEYS: readonly ErrorCode[] = ['idempotency_key_required', 'idempotency_key_invalid'];

/** Every code that an endpoint answers with: what it says itself, and what follows from the rest of it. */
export function codesOf(endpoint: Endpoint): readonly ErrorCode[] {
  const { scope, path, input, headers, errors } = endpoint;
  const isKeyed = scope !== 'none';
  return [
    ...new Set([
      ...ALWAYS,
      ...(isKeyed ? KEYED : []),
      ...(isKeyed && path.includes(':') ? (['not_found'] as const) : []),
      ...(input.body.accepts.length > 0 ? BODY : []),
      ...(hasCursor(endpoint) ? (['invalid_cursor'] as const) : []),
      // Where there need be none, an empty one is refused all the same.
      ...(headers.idempotencyKey === undefined ? [] : KEYS),
      ...errors,
    ]),
  ];
}

function hasCursor({ input }: Endpoint): boolean {
  return shapeOf(input.query)['cursor'] !== undefined;
}

/** The fields of an object, behind what is done to it before or after. */
export function shapeOf(schema: unknown): Readonly<Record<string, z.core.SomeType>> {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (!(schema instanceof z.ZodPipe)) return {};
  return shapeOf(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
}
