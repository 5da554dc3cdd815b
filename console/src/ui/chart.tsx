import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { isDark } from '../state.ts';

export interface Line {
  readonly label: string;
  /** A colour of the theme. */
  readonly tone: 'accent' | 'second' | 'bad' | 'warn';
  readonly values: readonly (number | null)[];
  readonly isStepped?: boolean;
}

interface ChartProps {
  readonly label: string;
  /** Where the values stand, ascending: seconds since 1970, or numbers. */
  readonly at: readonly number[];
  readonly isTime?: boolean;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly height?: number;
  /** Counts: nothing between one and the next. */
  readonly isWhole?: boolean;
}

const WHOLE_STEPS = [1, 2, 5].flatMap((one) => Array.from({ length: 9 }, (_, n) => one * 10 ** n));

/** What a custom property comes to here: the canvas knows no `light-dark()`. */
function colourOf(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const DASHES: Readonly<Record<Line['tone'], number[]>> = {
  accent: [],
  second: [6, 3],
  bad: [2, 3],
  warn: [8, 3, 2, 3],
};

function optionsOf(props: ChartProps, width: number): uPlot.Options {
  const { lines, format, height = 170, isWhole = false, isTime = true } = props;
  const [faint, grid] = [colourOf('faint'), colourOf('line')];
  const axis = { stroke: faint, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: isTime }, y: { range: (_plot, min, max) => rangeOf(min, max) } },
    axes: [
      { ...axis, font: '11px system-ui' },
      {
        ...axis,
        font: '11px system-ui',
        size: (_plot, values) => 14 + 6.2 * Math.max(4, ...(values ?? []).map((one) => one.length)),
        values: (_plot, splits) => splits.map(format),
        ...(isWhole && { incrs: WHOLE_STEPS.sort((a, b) => a - b) }),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, tone, isStepped = false }) => ({
        label,
        stroke: colourOf(tone),
        dash: DASHES[tone],
        width: 1.75,
        ...(isStepped && uPlot.paths.stepped !== undefined
          ? { paths: uPlot.paths.stepped({ align: 1 }) }
          : {}),
      })),
    ],
  };
}

/** From zero, unless something is below it; never flat, which could not be drawn. */
function rangeOf(min: number | null, max: number | null): [number, number] {
  const bottom = Math.min(0, min ?? 0);
  const top = Math.max(max ?? 0, bottom + 1);
  return [bottom * 1.1, top * 1.1];
}

/** Lines over time. They differ by their strokes as well, and the legend says what they are at now. */
export function Chart(props: ChartProps) {
  const { label, at, lines, format } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const shape = `${lines.map((one) => one.label).join()} ${String(isDark.value)}`;
  const data: uPlot.AlignedData = [[...at], ...lines.map(({ values }) => [...values])];

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(props, element.clientWidth), data, element);
    plot.current = made;
    const { height } = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [at, lines]);

  const last = lines.map((one) => {
    const value = one.values.at(-1) ?? null;
    return { ...one, text: value === null ? '–' : format(value) };
  });
  const said = last.map((one) => `${one.label} ${one.text}`).join(', ');
  return (
    <figure class="chart">
      <div ref={box} role="img" aria-label={`${label}: ${said}`} />
      <figcaption>
        {last.map((one) => (
          <span key={one.label} class={`legend ${one.tone}`}>
            <svg viewBox="0 0 22 4" width="22" height="4" aria-hidden="true">
              <line x1="0" y1="2" x2="22" y2="2" stroke-dasharray={DASHES[one.tone].join(' ')} />
            </svg>
            {one.label} <strong>{one.text}</strong>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
