import type { Socket } from 'node:net';

/** How a rule of a proxy holds bytes back. */
interface Pace {
  readonly delayMs?: number;
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
}

/** One direction of a connection: keeps the order, whatever delays what. */
export interface Pipe {
  push(bytes: Buffer, paces: readonly Pace[]): void;
  /** Ends the other side once everything has been written, or does something else then. */
  finish(then?: () => void): void;
  stop(): void;
}

/** What is sent at a slow rate goes out in drops of this size. */
const DROP_BYTES = 512;

export function createPipe(from: Socket, to: Socket, random: () => number): Pipe {
  const waiting: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  let lastDueMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let end: (() => void) | undefined;
  let isStopped = false;

  const write = (bytes: Buffer): void => {
    if (to.destroyed || to.writableEnded) return;
    if (!to.write(bytes) && !from.isPaused()) {
      from.pause();
      to.once('drain', () => {
        from.resume();
      });
    }
  };
  const pump = (): void => {
    timer = undefined;
    if (isStopped) return;
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const leftMs = first.dueMs - performance.now();
      if (leftMs > 0) {
        timer = setTimeout(pump, Math.ceil(leftMs));
        return;
      }
      waiting.shift();
      write(first.bytes);
    }
    finishNow();
  };
  const finishNow = (): void => {
    if (end === undefined || waiting.length > 0) return;
    const then = end;
    end = undefined;
    if (to.destroyed) then();
    else to.write('', then); // after what was written before
  };

  return Object.freeze({
    push: (bytes: Buffer, paces: readonly Pace[]) => {
      const nowMs = performance.now();
      const delayMs = paces.reduce(
        (sum, pace) => sum + (pace.delayMs ?? 0) + random() * (pace.jitterMs ?? 0),
        0,
      );
      const rates = paces.flatMap(({ bytesPerSecond }) => bytesPerSecond ?? []);
      if (delayMs === 0 && rates.length === 0 && waiting.length === 0) {
        write(bytes);
        return;
      }
      const rate = Math.min(Infinity, ...rates);
      const size = rate === Infinity ? bytes.length : DROP_BYTES;
      for (let at = 0; at < bytes.length; at += size) {
        const drop = bytes.subarray(at, at + size);
        const dueMs = Math.max(lastDueMs, nowMs + (at === 0 ? delayMs : 0));
        lastDueMs = dueMs + (rate === Infinity ? 0 : (drop.length / rate) * 1_000);
        waiting.push({ bytes: drop, dueMs });
      }
      if (timer === undefined) pump();
    },
    finish: (then?: () => void) => {
      end ??= then ?? ((): void => void to.end());
      if (waiting.length === 0) finishNow();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  });
}
