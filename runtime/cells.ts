import { CELL_LIMITS } from '../config/cell-limits.ts';
import { controlDatabaseOf } from '../core/infra/control-database.ts';
import { ensureCollections } from '../core/infra/schema.ts';
import { startTicker } from '../core/kernel/clock.ts';
import { AppError } from '../core/kernel/errors.ts';
import { createMetrics } from '../core/telemetry/metrics.ts';
import { brandDatabase } from '../core/tenants/brand-database.ts';
import { createTenantStore } from '../core/tenants/tenant-store.ts';
import type { Platform } from './platform.ts';

/** One database of tenants' work with the queues that belong to it, as a platform of its own. */
export interface Cell {
  /** The tenant that has it to itself; undefined: all tenants share it. */
  readonly brand: string | undefined;
  readonly platform: Platform;
}

/** What a process has in each of its cells. */
export interface Cells<T> {
  /**
   * What there is for a tenant's work; of a cell that is not open yet once it is.
   *
   * @throws AppError `not_found` when there is no such tenant.
   */
  of(tenantId: string): T | Promise<T>;
  /** Of the cells that are open by now. */
  opened(): readonly T[];
}

interface CellsOptions<T> {
  readonly platform: Platform;
  /** Makes what the process needs in a cell; its release is the lifecycle's. */
  readonly fit: (cell: Cell) => T;
}

/**
 * The cells of this installation: one, or one a tenant, those of new tenants as they come. A cell that
 * cannot be opened now is tried again at the next look, and whenever somebody asks for it.
 */
export async function openCells<T>(options: CellsOptions<T>): Promise<Cells<T>> {
  const { platform, fit } = options;
  if (platform.env.TENANCY === 'per-brand') return openBrandCells(options);
  const only = fit({ brand: undefined, platform });
  return Object.freeze({ of: () => only, opened: () => [only] });
}

async function openBrandCells<T>({ platform, fit }: CellsOptions<T>): Promise<Cells<T>> {
  const { clock, logger, lifecycle, mongo } = platform;
  const tenants = createTenantStore(mongo.db);
  const fitted = new Map<string, T>();
  let isClosing = false;
  const underWay = new Map<string, Promise<T>>();

  const openOne = async (brand: string): Promise<T> => {
    if (fitted.size >= CELL_LIMITS.cellsMax) {
      throw new AppError(
        'ledger_unavailable',
        `This process has its ${CELL_LIMITS.cellsMax} cells`,
      );
    }
    const cell = brandPlatform(platform, brand);
    await ensureCollections(cell.mongo.db, clock, 'cell');
    if (isClosing) throw new AppError('ledger_unavailable', 'This process is about to end');
    platform.metrics.include(cell.metrics);
    const made = fit({ brand, platform: cell });
    fitted.set(brand, made);
    logger.info({ brand, database: cell.mongo.db.databaseName }, 'cell.opened');
    return made;
  };
  const open = (brand: string): Promise<T> => {
    const current = underWay.get(brand);
    if (current !== undefined) return current;
    const started = openOne(brand).finally(() => underWay.delete(brand));
    underWay.set(brand, started);
    return started;
  };
  const openIfKnown = async (tenantId: string): Promise<T> => {
    if ((await tenants.find(tenantId)) !== undefined) return open(tenantId);
    throw new AppError('not_found', `There is no tenant ${tenantId}`);
  };
  const look = async (): Promise<void> => {
    const missing = (await tenants.working(CELL_LIMITS.cellsMax)).filter((id) => !fitted.has(id));
    const openNext = async (): Promise<void> => {
      for (let brand = missing.shift(); brand !== undefined; brand = missing.shift()) {
        await open(brand).catch((err: unknown) => {
          logger.warn({ err, brand }, 'cell.open.failed');
        });
      }
    };
    await Promise.all(Array.from({ length: CELL_LIMITS.cellsOpenedAtOnce }, openNext));
  };

  await look();
  const ticker = startTicker({
    intervalMs: CELL_LIMITS.cellLookMs,
    run: look,
    clock,
    onError: (err) => {
      logger.warn({ err }, 'cells.look.failed');
    },
  });
  // Among the first: what is opened after the pools have begun to drain would not be drained.
  lifecycle.onDrain('cells', async () => {
    isClosing = true;
    await ticker.stop();
  });
  return Object.freeze({
    of: (tenantId: string) => fitted.get(tenantId) ?? openIfKnown(tenantId),
    opened: () => [...fitted.values()],
  });
}

/**
 * The process's platform over a brand's database. Queues are the brand's own, by their prefix; what
 * bears a tenant's or a provider's name anyway (streams, hints, breakers) is shared by all brands.
 */
function brandPlatform(platform: Platform, brand: string): Platform {
  const { env, mongo } = platform;
  const database = brandDatabase(env.MONGO_DB, brand);
  const metrics = createMetrics();
  metrics.registry.setDefaultLabels({ brand });
  return Object.freeze({
    ...platform,
    env: { ...env, MONGO_DB: database, QUEUE_PREFIX: `${env.QUEUE_PREFIX}-${brand}` },
    mongo: { ...mongo, db: mongo.client.db(database) },
    metrics,
  });
}

/** The database of a tenant's work, for what is made once for all cells. */
export function tenantDatabases({
  env,
  mongo,
}: Pick<Platform, 'env' | 'mongo'>): (tenantId: string) => Platform['mongo']['db'] {
  if (env.TENANCY === 'shared') return () => mongo.db;
  const control = controlDatabaseOf(mongo.db).databaseName;
  return (tenantId) => mongo.client.db(brandDatabase(control, tenantId));
}
