import { appendFileSync, writeFileSync } from 'node:fs';
import type { HistoryEvent } from '../checker/evidence.ts';

/** What clients sent and were told, in memory for the checker and as JSON lines for a person. */
export interface History {
  readonly events: readonly HistoryEvent[];
  add(event: HistoryEvent): void;
  flush(): void;
}

/** Lines that wait before they are written together. */
const LINES_MAX = 200;

export function openHistory(file: string): History {
  const events: HistoryEvent[] = [];
  let lines: string[] = [];
  writeFileSync(file, '');
  const flush = (): void => {
    if (lines.length > 0) appendFileSync(file, `${lines.join('\n')}\n`);
    lines = [];
  };
  return Object.freeze({
    events,
    add: (event: HistoryEvent) => {
      events.push(event);
      lines.push(JSON.stringify(event));
      if (lines.length >= LINES_MAX) flush();
    },
    flush,
  });
}
