/** Rates with the intervals that they may lie in, one above the other. */
import type { Rate } from "../evidence.ts";
import { toneOf } from "./allocation.tsx";
import { percentText, reading } from "./reader.tsx";

interface IntervalsProps {
  rows: readonly { name: string; rate: Rate }[];
}

/** Nice bounds around all of them. */
function boundsOf(rows: IntervalsProps["rows"]): [number, number] {
  const lows = rows.flatMap(({ rate }) => rate.low ?? []);
  const highs = rows.flatMap(({ rate }) => rate.high ?? []);
  const [low, high] = [Math.min(...lows), Math.max(...highs)];
  const margin = Math.max(0.005, (high - low) * 0.08);
  return [Math.max(0, low - margin), Math.min(1, high + margin)];
}

const rowHeight = 28;
const width = 1_000;

/** The table beside it says the same in numbers. */
export function Intervals({ rows }: IntervalsProps) {
  const known = rows.filter(({ rate }) => rate.rate !== null);
  if (known.length === 0) return null;
  const [low, high] = boundsOf(known);
  const x = (value: number) => (((value - low) / (high - low)) * width).toFixed(1);
  const reader = reading();
  return (
    <div class="intervals" aria-hidden="true">
      <svg
        aria-hidden="true"
        viewBox={`0 0 ${width} ${rows.length * rowHeight}`}
        preserveAspectRatio="none"
        height={rows.length * rowHeight}
      >
        {rows.map(({ rate }, place) => {
          if (rate.rate === null || rate.low === null || rate.high === null) return null;
          const y = place * rowHeight + rowHeight / 2;
          return (
            <g class={toneOf(place)}>
              <rect
                x={x(rate.low)}
                width={Number(x(rate.high)) - Number(x(rate.low))}
                y={y - 2}
                height="4"
                opacity="0.55"
              />
              <rect x={Number(x(rate.rate)) - 2.5} width="5" y={y - 9} height="18" />
            </g>
          );
        })}
      </svg>
      <p class="quiet">
        <span>{percentText(reader, low)}</span>
        <span>{percentText(reader, high)}</span>
      </p>
    </div>
  );
}
