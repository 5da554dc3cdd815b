import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { type Json, pointerSegment } from '../kernel/canonical.ts';
import { isKnownCurrency } from '../kernel/currencies.ts';
import type { FieldError } from '../kernel/errors.ts';
import { FIELD_ERRORS_MAX, fieldErrors } from '../kernel/field-errors.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import type { OperationDefinition, Registry } from '../operations/define.ts';
import { textField } from '../operations/services.ts';
import type { Preconditions } from '../operations/operation.ts';
import { checkIdempotencyKey } from './idempotency-key.ts';
import { amountOrZero, instant } from '../operations/inputs.ts';
import type { Submission } from './submission.ts';

/** What a request is judged by besides itself. */
export interface ParseContext {
  readonly registry: Registry;
  /** The tenant's own currencies. */
  readonly currencies: readonly string[];
  /** Whether some process has the payment provider; by default nothing is known of them. */
  readonly hasProvider?: (name: string) => boolean;
}

const METADATA_KEY = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const metadataKeyText = `must be 1 to ${LIMITS.metadataKeyCharsMax} letters, digits, _ or -`;

/** What may stand beside the input of any operation. */
export const envelopeFields = {
  orderingKey: z
    .string()
    .min(1)
    .max(LIMITS.orderingKeyCharsMax)
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
    .exactOptional()
    .meta({ description: 'a line of your own: operations with the same key settle in order' }),
  preconditions: z
    .strictObject({
      ifAvailableAtLeast: amountOrZero.exactOptional(),
      ifWalletSeq: z.int().min(0).exactOptional(),
      expiresAt: instant.exactOptional(),
    })
    .exactOptional()
    .meta({ description: 'checked at the moment of settlement' }),
  runAt: instant.exactOptional().meta({ description: 'not before then' }),
  dryRun: z
    .boolean()
    .exactOptional()
    .meta({ description: 'true: says what would happen and does nothing' }),
  metadata: z
    .record(
      z
        .string()
        .max(LIMITS.metadataKeyCharsMax, metadataKeyText)
        .regex(METADATA_KEY, metadataKeyText),
      z.string().max(LIMITS.metadataValueCharsMax),
    )
    .refine(
      (entries) => Object.keys(entries).length <= LIMITS.metadataEntriesMax,
      `must have at most ${LIMITS.metadataEntriesMax} entries`,
    )
    .exactOptional()
    .meta({ description: 'your own strings; searchable, copied to the entries' }),
};

const envelope = z.object(envelopeFields);
type Envelope = z.infer<typeof envelope>;

const ENVELOPE_KEYS: ReadonlySet<string> = new Set(Object.keys(envelopeFields));
const REQUEST_KEYS: ReadonlySet<string> = new Set(['type', 'input', ...ENVELOPE_KEYS]);
const ITEM_KEYS: ReadonlySet<string> = new Set(['idempotencyKey', ...REQUEST_KEYS]);

/** `{type, input, …}` of POST /v1/operations. Pure. */
export function parseSubmission(
  raw: unknown,
  idempotencyKey: string,
  context: ParseContext,
): Result<Submission> {
  return parseTyped({ raw, idempotencyKey, known: REQUEST_KEYS }, context);
}

/** An item of POST /v1/operations/bulk: as above, with the idempotency key inside. Pure. */
export function parseBulkItem(raw: unknown, context: ParseContext): Result<Submission> {
  if (!isRecord(raw)) return notAnObject();
  const key = checkIdempotencyKey(raw['idempotencyKey'], '/idempotencyKey');
  if (!key.ok) return key;
  return parseTyped({ raw, idempotencyKey: key.value, known: ITEM_KEYS }, context);
}

interface AliasRequest {
  readonly definition: OperationDefinition;
  readonly raw: unknown;
  /** Input fields that the path of the request states. */
  readonly fixed: Readonly<Record<string, string>>;
  readonly idempotencyKey: string;
}

/** The bare input of one type, with the optional envelope fields beside its own. Pure. */
export function parseAlias(request: AliasRequest, context: ParseContext): Result<Submission> {
  const { definition, raw, fixed, idempotencyKey } = request;
  if (!isRecord(raw)) return notAnObject();
  const doubled = Object.keys(fixed).filter((key) => Object.hasOwn(raw, key));
  const errors = doubled.map((key) => ({ pointer: `/${key}`, detail: 'is given by the path' }));
  if (errors.length > 0) return invalid(errors);
  const own = Object.entries(raw).filter(([key]) => !ENVELOPE_KEYS.has(key));
  const input: unknown = { ...Object.fromEntries(own), ...fixed };
  return parseParts({ definition, raw, input, inputPointer: '', idempotencyKey }, context);
}

interface TypedRequest {
  readonly raw: unknown;
  readonly idempotencyKey: string;
  readonly known: ReadonlySet<string>;
}

function parseTyped(
  { raw, idempotencyKey, known }: TypedRequest,
  context: ParseContext,
): Result<Submission> {
  if (!isRecord(raw)) return notAnObject();
  const { type, input } = raw;
  if (type === undefined) return invalid([{ pointer: '/type', detail: 'is required' }]);
  const definition =
    typeof type === 'string' && Object.hasOwn(context.registry, type)
      ? context.registry[type]
      : undefined;
  if (definition === undefined) return unknownType(context.registry);
  const unknown = Object.keys(raw)
    .filter((key) => !known.has(key))
    .slice(0, FIELD_ERRORS_MAX)
    .map((key) => ({ pointer: `/${pointerSegment(key)}`, detail: 'is not a known field' }));
  const request = { definition, raw, input, inputPointer: '/input', idempotencyKey };
  return parseParts(request, context, unknown);
}

interface Parts {
  readonly definition: OperationDefinition;
  readonly raw: Readonly<Record<string, unknown>>;
  readonly input: unknown;
  readonly inputPointer: string;
  readonly idempotencyKey: string;
}

/** Envelope and input are judged together, so that one answer names everything that is wrong. */
function parseParts(
  { definition, raw, input, inputPointer, idempotencyKey }: Parts,
  context: ParseContext,
  errors: readonly FieldError[] = [],
): Result<Submission> {
  const outer = parseEnvelope(raw);
  const inner = definition.input.safeParse(input);
  if (!outer.success || !inner.success || errors.length > 0) {
    return invalid([
      ...errors,
      ...(outer.success ? [] : fieldErrors(outer.error.issues, raw)),
      ...(inner.success ? [] : fieldErrors(inner.error.issues, input, inputPointer)),
    ]);
  }
  const data = inner.data as Json; // every input schema normalises to plain JSON
  const later = [
    ...unknownCurrencies(data, inputPointer, context.currencies),
    ...pointlessPreconditions(outer.data, definition, data),
    ...pointlessDryRun(outer.data, definition),
    ...pointlessRunAt(outer.data, data, inputPointer),
  ];
  if (later.length > 0) return invalid(later);
  const refusal = missingProvider(definition, data, { context, inputPointer });
  if (refusal !== undefined) return refusal;
  return ok({ definition, input: data, idempotencyKey, ...statedOf(outer.data) });
}

const NO_ENVELOPE = { success: true, data: {} satisfies Envelope } as const;

/** Most requests state nothing beside their input: they are spared the look at each field. */
function parseEnvelope(raw: Readonly<Record<string, unknown>>) {
  const isStated = Object.keys(raw).some((key) => ENVELOPE_KEYS.has(key));
  return isStated ? envelope.safeParse(raw) : NO_ENVELOPE;
}

function statedOf(
  parsed: Envelope,
): Pick<
  Submission,
  'orderingKey' | 'preconditions' | 'deadline' | 'dryRun' | 'runAt' | 'metadata'
> {
  const { orderingKey, preconditions, dryRun, runAt, metadata } = parsed;
  const { expiresAt, ...conditions } = preconditions ?? {};
  return {
    ...(orderingKey !== undefined && { orderingKey }),
    ...(Object.keys(conditions).length > 0 && {
      preconditions: conditions satisfies Preconditions,
    }),
    ...(expiresAt !== undefined && { deadline: new Date(expiresAt) }),
    ...(dryRun === true && { dryRun }),
    ...(runAt !== undefined && { runAt: new Date(runAt) }),
    ...(metadata !== undefined && Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** A payment through a provider that no process of the installation has an address of. */
function missingProvider(
  { saga }: OperationDefinition,
  input: Json,
  { context, inputPointer }: { readonly context: ParseContext; readonly inputPointer: string },
): ReturnType<typeof refuse> | undefined {
  const isPayment = saga?.steps.some((step) => step.kind === 'call' && step.provider !== undefined);
  const provider = isPayment === true ? textField(input, 'provider') : undefined;
  if (provider === undefined || context.hasProvider?.(provider) !== false) return undefined;
  const pointer = `${inputPointer}/provider`;
  return refuse('provider_unknown', `No payment provider "${provider}" is configured`, [
    { pointer, detail: 'is not configured here' },
  ]);
}

/** Conditions on a wallet make no sense for a type that has no main wallet. */
function pointlessPreconditions(
  { preconditions }: Envelope,
  definition: OperationDefinition,
  input: Json,
): readonly FieldError[] {
  const { ifAvailableAtLeast, ifWalletSeq } = preconditions ?? {};
  if (ifAvailableAtLeast === undefined && ifWalletSeq === undefined) return [];
  if (definition.bind(input).mainWallet !== undefined) return [];
  return Object.entries({ ifAvailableAtLeast, ifWalletSeq })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => ({
      pointer: `/preconditions/${name}`,
      detail: `does not apply to ${definition.type}, which has no main wallet`,
    }));
}

/** What other sides would answer cannot be known without asking them. */
function pointlessDryRun(
  { dryRun }: Envelope,
  { mode, type }: OperationDefinition,
): readonly FieldError[] {
  if (dryRun !== true || mode === 'atomic') return [];
  return [{ pointer: '/dryRun', detail: `does not apply to ${type}, which acts outside` }];
}

/**
 * What may not begin before it is over would wait for its time, perhaps for a year, to find that it
 * has none: the operation itself, or what it is about (a hold).
 */
function pointlessRunAt(
  { runAt, preconditions }: Envelope,
  input: Json,
  inputPointer: string,
): readonly FieldError[] {
  if (runAt === undefined) return [];
  const inner =
    typeof input === 'object' && input !== null && 'expiresAt' in input
      ? input['expiresAt']
      : undefined;
  const ends = [
    { pointer: '/preconditions/expiresAt', end: preconditions?.expiresAt },
    { pointer: `${inputPointer}/expiresAt`, end: inner },
  ];
  return ends
    .filter(({ end }) => typeof end === 'string' && new Date(end) <= new Date(runAt))
    .map(({ pointer }) => ({ pointer, detail: `must be after runAt (${runAt})` }));
}

/** Every `currency` in a parsed input has to be ISO 4217 or one of the tenant's own. */
function unknownCurrencies(
  value: Json,
  pointer: string,
  currencies: readonly string[],
): readonly FieldError[] {
  if (typeof value !== 'object' || value === null) return [];
  const found: FieldError[] = [];
  for (const [key, field] of Object.entries<Json>(value)) {
    if (typeof field === 'object') {
      found.push(...unknownCurrencies(field, `${pointer}/${pointerSegment(key)}`, currencies));
    } else if (key === 'currency' && typeof field === 'string') {
      if (isKnownCurrency(field, currencies)) continue;
      const detail = 'is neither an ISO 4217 code nor one of your own currencies';
      found.push({ pointer: `${pointer}/currency`, detail });
    }
  }
  return found;
}

function unknownType(registry: Registry): ReturnType<typeof refuse> {
  const types = Object.keys(registry).join(', ');
  return refuse('unknown_operation_type', `The types are: ${types}`, [
    { pointer: '/type', detail: `must be one of: ${types}` },
  ]);
}

function notAnObject(): ReturnType<typeof refuse> {
  return invalid([{ pointer: '', detail: 'must be an object' }]);
}

function invalid(errors: readonly FieldError[]): ReturnType<typeof refuse> {
  const [first] = errors;
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  const where = first === undefined || first.pointer === '' ? 'the value' : first.pointer;
  const what = first === undefined ? '' : `: ${where} ${first.detail}${more}`;
  const told = errors.slice(0, FIELD_ERRORS_MAX);
  return refuse('invalid_request', `The request does not fit the schema${what}`, told);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
