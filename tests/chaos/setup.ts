import { createHash, randomBytes } from 'node:crypto';
import { HEALTHY } from './checker/surroundings-rules.ts';
import { type Cluster, FLAKY_HOST } from './cluster/cluster.ts';
import type { Random } from './random.ts';
import type { Client } from './workload/client.ts';
import { setUpUsers } from './workload/load.ts';

/** Another tenant, who must never see what is the first one's. */
export interface Stranger {
  readonly apiKey: string;
}

const HEALTHY_HOST = '127.0.0.3';

/** Users with money, webhook endpoints and a stranger; nothing is broken yet. */
export async function setUp(
  cluster: Cluster,
  client: Client,
  { random, users }: { readonly random: Random; readonly users: number },
): Promise<Stranger> {
  const flaky = cluster.links.get('workers>receiver')?.port ?? 0;
  await addEndpoint(cluster, client, {
    name: HEALTHY,
    url: `http://${HEALTHY_HOST}:${String(cluster.receiver.port)}/webhooks/${HEALTHY}`,
    events: ['operation.*'],
  });
  await addEndpoint(cluster, client, {
    name: 'flaky',
    url: `http://${FLAKY_HOST}:${String(flaky)}/webhooks/flaky`,
    events: ['transfer.*', 'hold.*', 'deposit.*', 'withdrawal.*'],
  });
  await setUpUsers(client, random.fork('setup'), users);
  return addStranger(client);
}

interface EndpointSpec {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
}

async function addEndpoint(cluster: Cluster, client: Client, spec: EndpointSpec): Promise<void> {
  const { name, url, events } = spec;
  const { status, body } = await client.post('/v1/webhook-endpoints', `endpoint-${name}`, {
    url,
    events,
  });
  const { secret } = body as { secret?: string };
  if (secret === undefined) throw new Error(`no endpoint ${name}: ${String(status)}`);
  cluster.receiver.trust(name, secret);
}

async function addStranger(client: Client): Promise<Stranger> {
  const secret = randomBytes(24).toString('base64url');
  const id = 'stranger1';
  const secretHash = createHash('sha256').update(secret).digest('base64url');
  const input = { tenant: 'stranger', currencies: [], firstKey: { id, secretHash } };
  const outcome = await client.sendSurely({ key: 'stranger', type: 'tenant.provision', input });
  if (outcome.kind !== 'answered') throw new Error('the other tenant was not accepted');
  return { apiKey: `slk_${id}_${secret}` };
}
