/** Prints rows under a title and a head; the first column is text, the others are figures. */
export function printTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  console.log([title, ...table.map((row) => `  ${lineOf(row)}`), ""].join("\n"));
}
