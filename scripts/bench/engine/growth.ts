import type { Growth } from "./measure.ts";

/** At least two digits, and no more after the point than say something. */
const toFigure = (value: number): string => (value < 9.95 ? value.toFixed(2) : value.toFixed(value < 99.5 ? 1 : 0));

/** The standings as lines of a table: how many times the first one's cost each has, beside how many times its size. */
export function formatGrowth({ title, sizes, standings }: Growth): string {
  const [first = Number.NaN] = sizes;
  const rows = standings.map(({ name, nsPerRun, ratio, ratioLow, ratioHigh }, at) => {
    // The null control is the first once more.
    const times = (sizes[at] ?? first) / first;
    return [
      name,
      nsPerRun < 10_000 ? `${nsPerRun.toFixed(0)} ns` : `${(nsPerRun / 1000).toFixed(1)} µs`,
      `${toFigure(1 / ratio)}×`,
      `${toFigure(1 / ratioHigh)}–${toFigure(1 / ratioLow)}`,
      `${toFigure(times)}×`,
    ];
  });
  const table = [["", "a run", "cost", "10–90%", "size"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  return [title, ...lines.map((line) => `  ${line.join("  ")}`)].join("\n");
}
