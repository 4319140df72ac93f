/** How long a source may take: all in all, and from one byte to the next. */
import { SourceError } from "./source-error.ts";
import type { SourceLimits } from "./source-limits.ts";

/** The first of them may come at once. */
const ticksToStall = 4;

export interface Deadline {
  /** Aborted at the end, whatever that was. */
  signal: AbortSignal;
  /** One wait for the source. @throws {SourceError} when it or all of it takes too long */
  within<T>(work: Promise<T>): Promise<T>;
  /** Nothing more is wanted of the source. */
  end(): void;
}

/** @param where named in errors */
export function createDeadline(
  where: string,
  { totalMs, stallMs }: Pick<SourceLimits, "totalMs" | "stallMs">,
  outer?: AbortSignal,
): Deadline {
  const controller = new AbortController();
  let reason: SourceError | undefined;
  /** Ends the wait there is now. */
  let giveUp: (() => void) | undefined;
  /** Ticks since it began. */
  let ticks = 0;

  const stop = (code: "stalled" | "timeout" | "cancelled", what: string) => {
    reason ??= new SourceError(code, `${where}: ${what}`);
    end();
    giveUp?.();
  };
  const seconds = (ms: number) => `${ms / 1000} s`;
  const total = setTimeout(() => stop("timeout", `took more than ${seconds(totalMs)}`), totalMs);
  // One clock for all waits: the platform keeps something of each timer, and there is a wait a chunk.
  const clock = setInterval(() => {
    if (giveUp !== undefined && ++ticks > ticksToStall) stop("stalled", `no byte for ${seconds(stallMs)}`);
  }, stallMs / ticksToStall);
  const cancel = () => stop("cancelled", "cancelled");
  outer?.addEventListener("abort", cancel);
  function end(): void {
    clearTimeout(total);
    clearInterval(clock);
    outer?.removeEventListener("abort", cancel);
    controller.abort(reason);
  }
  if (outer?.aborted) cancel();

  return {
    signal: controller.signal,
    end,
    // A race with one promise for all waits would keep something of each of them.
    within: (work) =>
      new Promise((resolve, reject) => {
        const fail = (error: unknown) => {
          giveUp = undefined;
          reject(reason ?? error);
        };
        ticks = 0;
        giveUp = () => fail(reason);
        if (reason !== undefined) fail(reason);
        work.then((value) => {
          giveUp = undefined;
          resolve(value);
        }, fail);
      }),
  };
}
