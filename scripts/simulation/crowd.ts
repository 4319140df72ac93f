/** Many at once, but not all: so many side by side, and no longer than there is time. */

/** Time was up, or somebody has stopped it. */
export class Stopped extends Error {}

export interface CrowdOptions {
  sideBySide: number;
  /** Once it is aborted, nobody new sets out. */
  signal: AbortSignal;
  onDone?: () => void;
}

/** @throws {Stopped}, or what one of them threw: then nobody new sets out, and those under way are waited for */
export async function eachOf<Item>(
  items: readonly Item[],
  { sideBySide, signal, onDone }: CrowdOptions,
  visit: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { reason: unknown } | undefined;
  async function walk(): Promise<void> {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        if (signal.aborted) throw new Stopped(`Stopped after ${index} of ${items.length}: ${said(signal.reason)}.`);
        await visit(items[index] as Item, index);
        onDone?.();
      } catch (reason) {
        failure ??= { reason };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(sideBySide, items.length) }, walk));
  if (failure !== undefined) throw failure.reason;
}

const said = (reason: unknown) =>
  reason instanceof Error && reason.name === "TimeoutError" ? "time is up" : String(reason);
