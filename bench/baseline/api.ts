import express, { type NextFunction, type Request, type Response } from 'express';
import { z } from 'zod';
import { balanceView, walletView } from '../../api/views/ledger.ts';
import { operationView } from '../../api/views/operation.ts';
import { parseEnv, redisUrls } from '../../config/env.ts';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../../core/infra/collections.ts';
import { openMongo } from '../../core/infra/mongo.ts';
import { openRedis } from '../../core/infra/redis.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import type { Json } from '../../core/kernel/canonical.ts';
import { type OperationId, type WalletId, newId, newOperationId } from '../../core/kernel/ids.ts';
import type { WalletDoc } from '../../core/ledger/documents.ts';
import { checkIdempotencyKey } from '../../core/ingest/idempotency-key.ts';
import {
  jobOf,
  type OperationDoc,
  laneOf,
  userOrderingKey,
} from '../../core/operations/operation.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { requestHashOf } from '../../core/ingest/request-identity.ts';
import { transfer } from '../../core/operation-types/transfer.ts';
import type { Principal } from '../../core/access/api-key.ts';
import { createAuthenticator } from '../../core/access/api-key-cache.ts';
import { createApiKeyStore } from '../../core/access/api-key-store.ts';
import { bootstrapTenant } from '../../core/access/bootstrap.ts';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { createTenantCache } from '../../core/tenants/tenant-cache.ts';
import { createTenantStore } from '../../core/tenants/tenant-store.ts';
import { BASELINE_QUEUE, baselineJob, openBaselineQueue } from './queue.ts';

/**
 * The API that ours is measured against, written as one would without group commit: Express and
 * its JSON parser, the same check of the key (cached as ours), the same schema, the same operation
 * document by one `insertOne` (majority, journaled), its job by one `queue.add`, then the 202 with
 * the same view. No rate limit, no metrics, no log line per request, no look at the backlog.
 */
const env = parseEnv(process.env);
const appName = `baseline-api-${process.pid}`;
const mongo = await openMongo({ url: env.MONGO_URL, database: env.MONGO_DB, appName });
const onError = (error: Error): void => console.error(String(error));
const url = redisUrls(env).queue;
const connection = openRedis({ url, name: 'baseline-api', whenAway: 'wait', onError });
const queue = openBaselineQueue(BASELINE_QUEUE, { connection, prefix: env.QUEUE_PREFIX });
const keys = createApiKeyStore(mongo.db);
const tenants = createTenantStore(mongo.db);
await bootstrapTenant({ keys, tenants, clock: systemClock }, env.BOOTSTRAP_API_KEY);
const authenticator = createAuthenticator({
  keys,
  tenants: createTenantCache(tenants),
  databaseTime: () => readDatabaseTime(mongo.db),
  clock: systemClock,
});
const operations = collection<OperationDoc>(mongo.db, 'operations');
const wallets = collection<WalletDoc>(mongo.db, 'wallets');

const submission = z.strictObject({ type: z.literal('transfer'), input: transfer.input });
const DUPLICATE_KEY = 11_000;

interface Accepted {
  readonly principal: Principal;
  readonly input: Json;
  readonly idempotencyKey: string;
}

function operationOf({ principal, input, idempotencyKey }: Accepted): OperationDoc {
  const { tenantId } = principal.tenant;
  const at = new Date();
  const { ordering } = transfer.bind(input);
  const orderingKey = userOrderingKey(tenantId, 'user' in ordering ? ordering.user : '');
  return {
    _id: newOperationId(),
    tenantId,
    type: transfer.type,
    typeVersion: transfer.version,
    input,
    idempotencyKey,
    requestHash: requestHashOf({ definition: transfer, input, idempotencyKey }),
    status: 'accepted',
    epoch: 0,
    orderingKey,
    lane: laneOf(orderingKey, LIMITS.lanes),
    stamp: BigInt(at.getTime()) << 20n,
    dispatch: { queue: BASELINE_QUEUE, seq: 1, at },
    nextCheckAt: new Date(at.getTime() + LIMITS.firstCheckMs),
    correlationId: newId('req'),
    createdAt: at,
  };
}

async function authenticate({ headers }: Request): Promise<Principal | undefined> {
  const key = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return key === undefined ? undefined : authenticator.authenticate(key);
}

async function submit(request: Request, response: Response): Promise<void> {
  const principal = await authenticate(request);
  if (principal === undefined) {
    response.status(401).json({ code: 'unauthenticated' });
    return;
  }
  const key = checkIdempotencyKey(request.get('idempotency-key'));
  const body = submission.safeParse(request.body);
  if (!key.ok || !body.success) {
    response.status(400).json({ code: 'invalid_request' });
    return;
  }
  const input = body.data.input as Json; // every input schema normalises to plain JSON
  const operation = operationOf({ principal, input, idempotencyKey: key.value });
  await operations.insertOne(operation);
  const { name, data, opts } = baselineJob(jobOf(operation));
  await queue.add(name, data, opts);
  response.status(202).json(operationView(operation, OPERATIONS));
}

/** What an `insertOne` throws for a key that is there; a repeat of a request is not measured. */
function refuse(error: unknown, _request: Request, response: Response, _next: NextFunction): void {
  const isRepeat = error instanceof Error && 'code' in error && error.code === DUPLICATE_KEY;
  if (!isRepeat) console.error(String(error));
  response.status(isRepeat ? 409 : 500).json({ code: isRepeat ? 'repeated' : 'internal' });
}

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/v1/operations', express.json({ limit: LIMITS.bodyBytesMax }), submit);
/** Who asks, and one look-up of what is asked for by its id or its user. */
function reading(look: (tenantId: string, id: string) => Promise<unknown>) {
  return async (request: Request, response: Response): Promise<void> => {
    const principal = await authenticate(request);
    if (principal === undefined) {
      response.status(401).json({ code: 'unauthenticated' });
      return;
    }
    const found = await look(principal.tenant.tenantId, String(request.params['id']));
    if (found === undefined) response.status(404).json({ code: 'not_found' });
    else response.json(found);
  };
}

const wallet = async (tenantId: string, id: string): Promise<WalletDoc | undefined> =>
  (await wallets.findOne({ _id: id as WalletId, tenantId })) ?? undefined;

app.get(
  '/v1/wallets/:id',
  reading(async (tenantId, id) => {
    const one = await wallet(tenantId, id);
    return one === undefined ? undefined : walletView(one);
  }),
);
app.get(
  '/v1/wallets/:id/balance',
  reading(async (tenantId, id) => {
    const one = await wallet(tenantId, id);
    return one === undefined ? undefined : balanceView(one);
  }),
);
app.get(
  '/v1/users/:id/wallets',
  reading(async (tenantId, userId) => {
    const items = await wallets.find({ tenantId, userId }).sort({ currency: 1 }).toArray();
    return { items: items.map(walletView), nextCursor: null };
  }),
);
app.get(
  '/v1/operations/:id',
  reading(async (tenantId, id) => {
    const one = await operations.findOne({ _id: id as OperationId, tenantId });
    return one === null ? undefined : operationView(one, OPERATIONS);
  }),
);
app.get('/readyz', (_request, response) => {
  response.sendStatus(200);
});
app.use(refuse);
const server = app.listen(env.PORT, env.HOST);
server.keepAliveTimeout = LIMITS.keepAliveMs;
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => process.exit(0));
});
