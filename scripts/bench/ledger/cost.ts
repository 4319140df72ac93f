/** What a visit with a log-in makes the platform do, counted, and what a million of them cost by public prices. */
import { printTable } from "../cohorts/table.ts";
import { startHouse } from "./house.ts";

/** US dollars a million, past what a plan includes. A message is written, read and deleted. */
const prices = { messages: 3 * 0.4, calls: 0.15, rowsWritten: 1, rowsRead: 0.001 } as const;
const visits = 300;

interface Counted {
  visits: number;
  messages: number;
  calls: number;
  storage: Record<"ledger" | "log", { rowsRead: number; rowsWritten: number }>;
}

/** A visit's, by what it is paid for. */
function bill({
  visits: all,
  messages,
  calls,
  storage: { ledger, log },
}: Counted): [what: string, count: number, price: number][] {
  return [
    ["messages", messages / all, prices.messages],
    ["object calls", calls / all, prices.calls],
    ["ledger rows", ledger.rowsWritten / all, prices.rowsWritten],
    ["log rows", log.rowsWritten / all, prices.rowsWritten],
    ["rows read", (ledger.rowsRead + log.rowsRead) / all, prices.rowsRead],
  ];
}

const traffic = [
  ["busy: batches of 100 messages", 100],
  ["quiet: each visitor's messages by themselves", 10],
] as const;

export async function measureCost(): Promise<void> {
  const house = await startHouse();
  try {
    const rows: string[][] = [];
    let head: string[] = [];
    for (const [name, batch] of traffic) {
      // The first visits make tables and fix layouts.
      await house.ask(`/visits?count=20&batch=${batch}`);
      const items = bill(await house.ask<Counted>(`/visits?count=${visits}&batch=${batch}`));
      const dollars = items.map(([, count, price]) => count * price);
      head = [...items.map(([what]) => what), ...items.map(([what]) => `${what} $`), "in all $"];
      rows.push([
        name,
        ...items.map(([, count]) => count.toFixed(2)),
        ...dollars.map((each) => each.toFixed(2)),
        dollars.reduce((sum, each) => sum + each, 0).toFixed(2),
      ]);
    }
    printTable("A visit that logs in, through the whole Worker: what it takes, and US$ a million", ["", ...head], rows);
  } finally {
    await house.close();
  }
}
