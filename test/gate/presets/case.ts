/** The rows of a provider's table: what the gate must make of a request and of the origin's response. */
import type { FlowName } from "../../../src/model/flow.ts";
import type { OutcomeRule } from "../../../src/model/provider.ts";

export interface CaseResponse {
  status: number;
  location?: string;
  json?: unknown;
  /** Names of the fields in the HTML response's form; `autoPost` when the page submits the form by itself. */
  form?: readonly string[];
  autoPost?: boolean;
}

export interface Expected {
  /** Whether the address begins a login, outside of one. False unless given. */
  starts?: true;
  /** The flow and step of the address as `flow/step`. None unless given; a fetch has none but by a rule in `pages`. */
  page?: `${FlowName}/${string}`;
  /** The outcome within a session that began earlier and whose `state` is `st`, generic rules included. */
  outcome?: OutcomeRule["outcome"];
}

/** Method, URL (a path on the login host), the kind of request, response, what is expected. */
export type PresetCase = readonly [
  method: "GET" | "POST",
  url: string,
  request: "navigation" | "fetch",
  response: CaseResponse,
  expected: Expected,
];

export const app = "https://app.example.com/cb";
export const page: CaseResponse = { status: 200, form: ["username", "password"] };
