/** A question to the log, read: what `q` says. */
import type { Field } from "./fields.ts";

/** What one value has to be. Ends that are left out are open. */
export type Test =
  | { is: "any" }
  | { is: "equal"; to: string | number | boolean }
  | { is: "prefix"; of: string }
  /** Of text: holds it, in whatever case; `of` is in lower case. */
  | { is: "containing"; of: string }
  /** Both ends in it. */
  | { is: "within"; from: number; to: number };

export type Query =
  | { op: "and" | "or"; parts: readonly Query[] }
  | { op: "not"; part: Query }
  | { op: "term"; name: string; field: Field; test: Test };
