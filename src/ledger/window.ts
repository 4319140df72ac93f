/** A stretch of time that counts are asked about. */
import type { Span } from "./unit-state.ts";

/** In ms since the epoch; `from` is in it, `to` is not. */
export interface Window {
  from?: number;
  to?: number;
}

/** Whether something that happened from the first to the last moment of a span happened in the window, too. */
export function isInSpan(span: Span | undefined, window: Window | undefined): boolean {
  if (span === undefined) return false;
  if (window === undefined) return true;
  return span[1] >= (window.from ?? Number.NEGATIVE_INFINITY) && span[0] < (window.to ?? Number.POSITIVE_INFINITY);
}
