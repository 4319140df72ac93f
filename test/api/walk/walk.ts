/** How each operation is brought to answer each thing that its document says it may. */
import type { Answer, Client } from "../client.ts";

type Run = (client: Client) => Promise<Answer>;

/** The last exchange of a case is the one meant. */
export type Case = Run | { tenant: Record<string, unknown>; run: Run };

export function runOf(given: Case): { tenant: Record<string, unknown>; run: Run } {
  return typeof given === "function" ? { tenant: {}, run: given } : given;
}

/** By operation, then by the status of a success or the code of a refusal. */
export type Walk = Readonly<Record<string, Readonly<Record<string, Case>>>>;

/** No resource has such an id. */
export const nobody = (prefix: string) => `${prefix}_Nobody`;

export const rules = [{ match: { device_type: ["mobile"] } }];
