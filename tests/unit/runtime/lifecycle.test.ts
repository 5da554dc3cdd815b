import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { createLifecycle } from '../../../runtime/lifecycle.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';

const logger = createLogger({ level: 'silent', service: 'test' });
const never = (): Promise<void> => new Promise(() => undefined);

describe('a process that closes', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('drains side by side before it releases the rest, the last first', async () => {
    const lifecycle = createLifecycle(logger, systemClock);
    const order: string[] = [];
    let finish = (): void => undefined;
    lifecycle.onClose('mongodb', () => void order.push('mongodb'));
    lifecycle.onClose('queues', () => void order.push('queues'));
    lifecycle.onDrain('one', async () => {
      order.push('one begins');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push('one ends');
    });
    lifecycle.onDrain('other', () => void order.push('other'));
    const closing = lifecycle.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['other', 'one begins']);
    finish();
    await closing;
    expect(order).toEqual(['other', 'one begins', 'one ends', 'queues', 'mongodb']);
  });

  it('ends within the time to close although everything hangs', async () => {
    const lifecycle = createLifecycle(logger, systemClock);
    for (let count = 0; count < 12; count += 1) {
      lifecycle.onClose(`connection ${count}`, never);
      lifecycle.onDrain(`pool ${count}`, never);
    }
    let isClosed = false;
    const closing = lifecycle.close().then(() => {
      isClosed = true;
    });
    await vi.advanceTimersByTimeAsync(LIMITS.closeMs + 2_000);
    expect(isClosed).toBe(true);
    await closing;
  });
});
