/** What the tenant's cohort object does for an operation, once the control plane has allowed it. */
import type { Cohorts } from "../../cohorts/cohorts.ts";

export type CohortObject = Pick<Cohorts, "status" | "refresh" | "find" | "push" | "list" | "memberships">;

export interface CohortCall {
  cohorts: CohortObject;
  /** The control plane's. */
  answer: unknown;
  params: Readonly<Record<string, string>>;
  query: unknown;
  /** Its body has not been read, unless the operation has a schema for it. */
  request: Request;
}

/** What a command is told that only the cohort object knows, as its body. Never rejects: nobody may be let in yet. */
export type CohortQuestion = (cohorts: CohortObject, query: unknown) => Promise<unknown>;

/** @throws {Problem}; whatever else it throws says that the object cannot be reached */
export type CohortStep = (call: CohortCall) => Promise<{ json: unknown } | { lines: ReadableStream<Uint8Array> }>;
