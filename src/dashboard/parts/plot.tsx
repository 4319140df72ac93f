/** A plot of something over time: drawn by a script of what the figure holds, with the same as a table under it. */

import { Table } from "./list.tsx";
import { Count, Moment, Percent } from "./reader.tsx";

export interface Line {
  label: string;
  values: readonly (number | null)[];
  /** Its place among the variations, which has a colour. */
  tone: number;
  isDashed?: boolean;
}

export interface Mark {
  /** Seconds. */
  at: number;
  label: string;
}

type Unit = "count" | "percent" | "p";

interface Row {
  seconds: number;
  place: number;
}

interface PlotProps {
  title: string;
  /** What it shows, in a sentence. */
  lead: string;
  at: readonly number[];
  lines: readonly Line[];
  unit: Unit;
  marks?: readonly Mark[];
  /** A value below which something is wrong. */
  threshold?: number;
}

export function Plot({ title, lead, at, lines, unit, marks = [], threshold }: PlotProps) {
  const data = { title, at, lines, unit, marks, threshold };
  return (
    <figure class="plot" data-plot={JSON.stringify(data)}>
      <figcaption>
        <strong>{title}</strong>
        <span class="quiet"> {lead}</span>
      </figcaption>
      <ul class="legend">
        {lines.map(({ label, tone, isDashed }) => (
          <li>
            <svg class={`stroke tone-${tone % 8}`} viewBox="0 0 24 4" width="24" height="4" aria-hidden="true">
              {isDashed ? <path d="M0 1h6v2H0zM9 1h6v2H9zM18 1h6v2h-6z" /> : <path d="M0 1h24v2H0z" />}
            </svg>{" "}
            {label}
          </li>
        ))}
      </ul>
      <div class="canvas" aria-hidden="true" />
      <p class="readout quiet" aria-hidden="true" />
      <details>
        <summary>As a table</summary>
        <Table
          label={title}
          items={at.map((seconds, place): Row => ({ seconds, place }))}
          columns={[
            { head: "Until", cell: ({ seconds }: Row) => <Moment at={new Date(seconds * 1000).toISOString()} /> },
            ...lines.map(({ label, values }) => ({
              head: label,
              cell: ({ place }: Row) => <Value of={values[place] ?? null} unit={unit} />,
              isNumber: true,
            })),
          ]}
        />
      </details>
    </figure>
  );
}

function Value({ of, unit }: { of: number | null; unit: Unit }) {
  if (of === null) return <span class="quiet">none</span>;
  if (unit === "count") return <Count of={of} />;
  return unit === "percent" ? <Percent of={of} digits={2} /> : <span class="number">{pText(of)}</span>;
}

/** Three digits, or the power of ten where they would all be zeros. */
export function pText(p: number): string {
  if (p >= 0.001) return p.toFixed(3);
  return p < 1e-300 ? "below 1e-300" : p.toExponential(1);
}
