import { courseOf } from '../pure/course.ts';
import { durationText } from '../pure/time.ts';
import { now } from '../state.ts';
import type { Operation } from '../types.ts';
import { Status, toneOf } from './parts.tsx';

interface SagaProps {
  readonly operation: Operation;
  readonly isOpen: boolean;
}

/** Its steps one below the other, over time from left to right; what was taken back stands below, paler. */
export function Saga({ operation, isOpen }: SagaProps) {
  const rows = courseOf(operation, isOpen ? now.value : 0);
  return (
    <ol class="saga">
      {rows.map(({ name, status, note, ms, bars }) => (
        <li key={name}>
          <span class="saga-name">{name}</span>
          <Status of={status} />
          <span class="saga-note">
            {durationText(ms)}
            {note === '' ? '' : ` · ${note}`}
          </span>
          <svg
            class="saga-track"
            viewBox="0 0 100 8"
            preserveAspectRatio="none"
            aria-hidden="true"
            focusable="false"
          >
            <rect class="track" x="0" y="0" width="100" height="8" />
            {bars.map(({ from, length, kind }) => (
              <rect
                key={kind}
                class={kind === 'done' ? `bar ${toneOf(status)}` : 'bar undone'}
                x={from}
                y={kind === 'done' ? 0 : 4}
                width={length}
                height={bars.length === 1 ? 8 : 4}
              />
            ))}
          </svg>
        </li>
      ))}
    </ol>
  );
}
