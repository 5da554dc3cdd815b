import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../cli/exit.ts';
import { interruptible } from '../../../cli/interrupts.ts';

describe('work that can be interrupted', () => {
  it('takes a Ctrl-C that comes twice at once, from the terminal and from who waits, for one', async () => {
    const before = process.listenerCount('SIGINT');
    const work = interruptible(async (signal) => {
      process.emit('SIGINT');
      process.emit('SIGINT');
      signal.throwIfAborted();
    });
    await expect(work).rejects.toThrow(InterruptedError);
    expect(process.listenerCount('SIGINT'), 'nothing is left listening').toBe(before);
  });
});
