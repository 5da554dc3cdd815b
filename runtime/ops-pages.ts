import { LIMITS } from '../config/limits.ts';
import { type Clock, systemClock } from '../core/kernel/clock.ts';
import type { Metrics } from '../core/telemetry/metrics.ts';
import type { Readiness } from './readiness.ts';
import { noneFails } from '../core/kernel/every.ts';

/** What a probe or a scraper gets, whichever server answers it. */
export interface OpsPage {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface OpsPages {
  /** Alive: the event loop turns. Says nothing of dependencies, so that no outage restarts us. */
  health(): OpsPage;
  /**
   * 200 when every dependency can be used, else 503; each is named either way. `required`: only
   * these count (a balancer that should keep sending while Redis is away asks for `mongodb`).
   */
  ready(required?: readonly string[]): Promise<OpsPage>;
  /** Needs no key and costs milliseconds: made once for all who ask at about the same time. */
  metrics(): Promise<OpsPage>;
}

interface OpsDeps {
  readonly service: string;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** Fills gauges that are only worth reading when somebody asks. May fail: they stay as they are. */
  readonly beforeScrape?: () => Promise<void>;
}

const JSON_TYPE = 'application/json';

export function createOpsPages(deps: OpsDeps): OpsPages {
  const { service, readiness, metrics, beforeScrape, clock = systemClock } = deps;
  let last: Promise<OpsPage> | undefined;
  let lastMs = 0;
  const scrape = async (): Promise<OpsPage> => {
    await beforeScrape?.().catch(() => undefined); // a scrape without them beats no scrape
    const body = await metrics.text();
    return { status: 200, contentType: metrics.registry.contentType, body };
  };

  return Object.freeze({
    health: () => jsonPage(200, { status: 'ok', service }),
    ready: async (required?: readonly string[]) => {
      const { dependencies, ready: all } = await readiness.check();
      const counted = required ?? [];
      const ready =
        counted.length === 0
          ? all
          : noneFails(['process', ...counted], (name) => dependencies[name]?.ok === true);
      return jsonPage(ready ? 200 : 503, {
        status: ready ? 'ready' : 'not ready',
        service,
        dependencies,
      });
    },
    metrics: async () => {
      if (last === undefined || clock.monotonicMs() - lastMs >= LIMITS.scrapeKeptMs) {
        lastMs = clock.monotonicMs();
        last = scrape();
        last.catch(() => {
          last = undefined;
        });
      }
      return last;
    },
  } satisfies OpsPages);
}

function jsonPage(status: number, body: unknown): OpsPage {
  return { status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}
