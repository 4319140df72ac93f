/** What other objects of the tenant do for an operation, beside the control plane. */

import type { Units } from "../../assignment/unit.ts";
import type { ManagementCode } from "../../model/problem.ts";
import type { Tenant } from "../../model/tenant.ts";
import type { Assets } from "./document.ts";

export interface ManagementBindings {
  CONTROL: DurableObjectNamespace;
  COHORTS: DurableObjectNamespace;
  LOGBOOK: DurableObjectNamespace;
  LEDGER: DurableObjectNamespace;
  ASSETS?: Assets;
}

/** Whose objects they are, and where they are found. */
export interface Place {
  tenant: Tenant;
  bindings: ManagementBindings;
}

export interface StepCall extends Place {
  units: Units;
  /** The command's; undefined where it has none. */
  answer: unknown;
  params: Readonly<Record<string, string>>;
  query: unknown;
  body: unknown;
  /** Its body has not been read, unless the operation has a schema for it. */
  request: Request;
}

/** `json` undefined: an answer without a body. */
export type StepAnswer = { json: unknown; headers?: Record<string, string> } | { lines: ReadableStream<Uint8Array> };

/** Comes after the command: by then the control plane has let the caller in. */
export interface Step {
  /** What is answered where `run` rejects with anything but a Problem: it has not reached what it needs. */
  unavailable: ManagementCode;
  /** @throws {Problem} */
  run(call: StepCall): Promise<StepAnswer>;
}

/** What a command is told that only another object knows, as its body. Never rejects: nobody may be let in yet. */
export type Question = (place: Place, query: unknown) => Promise<unknown>;
