import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';
import { supervise } from '../kernel/supervise.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Lines } from './lines.ts';

interface MoveDeps {
  readonly lines: Pick<Lines, 'moveOn'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
}

/**
 * Lets in who waits behind what has just ended, without keeping anybody waiting for it. A server that
 * is away for a moment is asked again; if it is all lost, recovery finds them, half a minute later.
 */
export function moveLinesOn(deps: MoveDeps, lines: readonly string[]): void {
  if (lines.length === 0) return;
  supervise(patiently(deps, lines), (err) => {
    deps.logger.warn({ err }, 'lines.not-moved-on');
  });
}

async function patiently({ lines, clock }: MoveDeps, keys: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await lines.moveOn(keys);
      return;
    } catch (error) {
      if (tries >= LIMITS.lineMoveTries) throw error;
      await clock.sleep(LIMITS.lineMovePauseMs * tries);
    }
  }
}
