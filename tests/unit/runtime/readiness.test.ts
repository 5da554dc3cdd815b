import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { createOpsPages } from '../../../runtime/ops-pages.ts';
import { startOpsServer } from '../../../runtime/ops-server.ts';
import { createReadiness } from '../../../runtime/readiness.ts';
import type { Dependency } from '../../../core/infra/dependency.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { createMetrics } from '../../../core/telemetry/metrics.ts';

const fine: Dependency = { name: 'fine', probe: async () => undefined };
const away: Dependency = {
  name: 'away',
  probe: async () => {
    throw new AppError('queue_unavailable', 'not connected (wait)');
  },
};
const leaky: Dependency = {
  name: 'leaky',
  probe: async () => {
    throw new Error('connect ECONNREFUSED user:password@host');
  },
};
const silent: Dependency = { name: 'silent', probe: () => new Promise(() => undefined) };

const open = (...dependencies: readonly Dependency[]) =>
  createReadiness({ dependencies, clock: systemClock });

describe('readiness', () => {
  it('is there when every dependency is', async () => {
    expect(await open(fine).check()).toMatchObject({
      ready: true,
      dependencies: { process: { ok: true }, fine: { ok: true } },
    });
  });

  it('names what is missing, with a reason that gives nothing away', async () => {
    const report = await open(fine, away, leaky, silent).check();
    expect(report).toMatchObject({
      ready: false,
      dependencies: {
        fine: { ok: true },
        away: { ok: false, reason: 'not connected (wait)' },
        leaky: { ok: false, reason: 'does not answer' },
        silent: {
          ok: false,
          reason: `silent did not answer within ${LIMITS.readinessProbeMs} ms`,
        },
      },
    });
    expect(JSON.stringify(report)).not.toContain('password');
  });

  it('asks once for everybody who asks within a second', async () => {
    let probes = 0;
    const counted: Dependency = {
      name: 'counted',
      probe: async () => {
        probes += 1;
      },
    };
    const readiness = open(counted);
    await Promise.all(Array.from({ length: 20 }, () => readiness.check()));
    expect(probes).toBe(1);
  });

  it('ends when the process begins to stop', async () => {
    const readiness = open(fine);
    readiness.drain();
    expect(await readiness.check()).toMatchObject({
      ready: false,
      dependencies: { process: { ok: false, reason: 'shutting down' } },
    });
  });
});

describe('the pages of a process without an API', () => {
  async function serve(...dependencies: readonly Dependency[]): Promise<string> {
    const pages = createOpsPages({
      service: 'worker',
      readiness: open(...dependencies),
      metrics: createMetrics(),
      beforeScrape: async () => {
        throw new Error('Redis is away');
      },
    });
    const logger = createLogger({ level: 'silent', service: 'test' });
    const server = await startOpsServer({ pages, host: '127.0.0.1', port: 0, logger });
    onTestFinished(() => server.close());
    return `http://127.0.0.1:${server.port}`;
  }

  it.each([
    ['/healthz', 200, '"status":"ok"'],
    ['/readyz', 503, '"status":"not ready"'],
    ['/readyz?require=fine', 200, '"status":"ready"'],
    ['/readyz?require=fine,away', 503, '"not connected (wait)"'],
    ['/readyz?require=fine,unknown', 503, '"status":"not ready"'],
    ['/metrics', 200, 'sluice_lanes_held'],
    ['/', 404, '/healthz'],
  ])('%s answers %d', async (path, status, part) => {
    const response = await fetch((await serve(fine, away)) + path);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(part);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });
});
