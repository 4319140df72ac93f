/** One operation of the management API: its address, who may, and what it takes. */
import type * as v from "valibot";
import type { Scope } from "../../model/token.ts";
import type { Question, Step } from "./step.ts";

export interface Operation<Query = unknown, Body = unknown> {
  method: "GET" | "POST" | "PATCH" | "DELETE" | "PUT";
  /** Under `/api/v2/experimentation`; parameters as `:id`. */
  path: string;
  scope: Scope;
  /** Without one, no query parameter is known. */
  query?: v.GenericSchema<unknown, Query>;
  /** Without one, a body is not read. */
  body?: v.GenericSchema<unknown, Body>;
  /** 1 MiB when absent. */
  maxBodyBytes?: number;
  /** What another object of the tenant is asked first. */
  ask?: Question;
  /** What other objects of the tenant do for it, once the control plane has allowed it. */
  step?: Step;
  success: 200 | 201 | 204;
}

type Part<Of, P extends "query" | "body"> = Of extends (context: never, input: infer Input) => unknown
  ? Input extends Record<P, infer Value>
    ? Value
    : unknown
  : unknown;

/** Operations of these commands: what their schemas give is what the commands take. */
export type OperationsOf<Commands> = {
  readonly [Name in keyof Commands]: Operation<Part<Commands[Name], "query">, Part<Commands[Name], "body">>;
};
