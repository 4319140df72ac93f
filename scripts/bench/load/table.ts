/** The results as people read them. */
import type { Ratio, Result } from "./duel.ts";

export function formatRatio({ median, error }: Ratio): string {
  return median < 1.75
    ? `${(median * 100).toFixed(1)}% ±${(error * 100).toFixed(1)}`
    : `${median.toFixed(2)}× ±${error.toFixed(2)}`;
}

/** The first result is `whose`, with which each other is compared. */
export function formatResults(title: string, results: readonly Result[], whose = "gate's"): string {
  const head = ["", "requests/s", "p50 ms", "p99 ms", "CPU µs", `${whose} throughput`, "by CPU"];
  const rows = results.map((result, at) => [
    result.name,
    result.perSecond.toFixed(0),
    result.p50Ms.toFixed(2),
    result.p99Ms.toFixed(2),
    result.processorUs?.toFixed(0) ?? "–",
    at === 0 ? "" : formatRatio(result.throughput),
    at === 0 ? "" : result.economy ? formatRatio(result.economy) : "not measured",
  ]);
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  };
  return [title, ...table.map((row) => `  ${row.map(pad).join("  ").trimEnd()}`)].join("\n");
}
