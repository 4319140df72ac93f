/** What is told of an operation beside what its schemas say. */
import type { ManagementCode } from "../../src/model/problem.ts";
import type { JsonSchema } from "./json-schema.ts";

export interface OperationWords {
  summary: string;
  description: string;
  /** Name of the component that a request holds, where its operation reads the body by itself. */
  body?: string;
  /** Name of the component that an upload is, where it is JSON; it may be NDJSON or CSV as well. */
  uploads?: string;
  /** False where what it changes is no part of the configuration. */
  commits?: false;
  /** What a line holds, where a success may come as NDJSON too. */
  lines?: JsonSchema;
  /** Headers that a success may have, beside those of every answer. */
  headers?: readonly string[];
  /** Name of the component that a success holds; none where it has no body. */
  answer?: string;
  /** How it may be refused, beside the ways in which every operation may. */
  refusals: readonly ManagementCode[];
}

export interface Topic {
  /** As the tag of its operations. */
  name: string;
  description: string;
  operations: Readonly<Record<string, OperationWords>>;
}
