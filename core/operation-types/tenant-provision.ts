import { z } from 'zod';
import { CURRENCY_PATTERN } from '../kernel/currencies.ts';
import { ok, refuse } from '../kernel/result.ts';
import { defineOperation } from '../operations/define.ts';
import type { NewTenant } from '../operations/services.ts';
import { type StepContext, done, refusedCall } from '../operations/step.ts';
import { DEFAULT_TENANT_ID } from '../tenants/tenant.ts';

const input = z.strictObject({
  tenant: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, 'must be 2 to 32 of a-z, 0-9 and -'),
  currencies: z.array(z.string().regex(CURRENCY_PATTERN)).max(100).default([]),
  /**
   * The tenant's first key. Whoever asks makes the secret and sends only its SHA-256 (base64url),
   * so that no secret ever stands in an operation.
   */
  firstKey: z.strictObject({
    id: z.string().regex(/^[A-Za-z0-9]{4,32}$/),
    secretHash: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a SHA-256 in base64url'),
  }),
});
type Provision = z.infer<typeof input>;

function tenantOf(ctx: StepContext<Provision>): NewTenant {
  const { tenant: tenantId, currencies } = ctx.input;
  return { tenantId, currencies, operationId: ctx.operationId };
}

const LOCAL = {
  timeoutMs: 60_000,
  retry: { attemptsMax: 8, baseMs: 250, capMs: 30_000 },
} as const;

/** Sets a tenant up: what has begun is either finished or given up whole. */
export const tenantProvision = defineOperation({
  type: 'tenant.provision',
  version: 1,
  mode: 'stepwise',
  scope: 'admin', // its outcome is a key that may do everything
  movesMoney: false,
  example: (name) => ({
    tenant: `t-${name}`,
    currencies: ['EUR'],
    firstKey: { id: `key${name}`, secretHash: 'x'.repeat(43) },
  }),
  summary: 'Sets up a tenant: its record, database, system wallets and first key',
  input,
  ordering: (provision) => ({ user: provision.tenant }),
  steps: [
    {
      name: 'permit',
      kind: 'ledger',
      touches: () => ({}),
      decide: (_draft, ctx) =>
        ctx.tenantId === DEFAULT_TENANT_ID
          ? ok(undefined)
          : refuse('tenant_forbidden', `Tenant ${ctx.tenantId} may not set up others`),
      compensate: 'none-needed: it only looks',
    },
    {
      ...LOCAL,
      name: 'reserve',
      kind: 'call',
      redo: 'safe',
      run: async (ctx, { services }) => {
        if (await services.tenants.reserve(tenantOf(ctx))) return done();
        const detail = `Tenant ${ctx.input.tenant} already exists`;
        return refusedCall({ code: 'tenant_exists', detail });
      },
      compensate: { run: async (ctx, { services }) => services.tenants.abandon(tenantOf(ctx)) },
    },
    {
      ...LOCAL,
      name: 'database',
      kind: 'call',
      redo: 'safe',
      run: async (ctx, { services }) => {
        await services.tenants.prepareDatabase(ctx.input.tenant);
        return done();
      },
      compensate: 'none-needed: empty collections and wallets of an abandoned tenant do no harm',
    },
    {
      ...LOCAL,
      name: 'first-key',
      kind: 'call',
      redo: 'safe',
      run: async (ctx, { services }) => {
        const { id, secretHash: hash } = ctx.input.firstKey;
        if (await services.tenants.addKey(tenantOf(ctx), { id, hash })) return done({ keyId: id });
        return refusedCall({ code: 'key_exists', detail: `Key id ${id} is taken` });
      },
      compensate: { run: async (ctx, { services }) => services.tenants.abandon(tenantOf(ctx)) },
    },
    {
      ...LOCAL,
      name: 'activate',
      kind: 'call',
      isPivot: true,
      redo: 'safe',
      run: async (ctx, { services }) => {
        await services.tenants.activate(tenantOf(ctx));
        return done();
      },
      compensate: 'none-needed: it is the last thing that can fail',
    },
    {
      name: 'notify',
      kind: 'ledger',
      touches: () => ({}),
      decide: (draft, ctx) => {
        draft.emit('tenant.provisioned', { tenant: ctx.input.tenant });
        return ok(undefined);
      },
      compensate: 'none-needed: it comes after the pivot',
    },
  ],
  result: (ctx) => {
    const { tenant, firstKey } = ctx.input;
    return { tenant, keyId: firstKey.id };
  },
});
