import { type ManagementCode, Problem } from "../model/problem.ts";

/** A time as the control plane writes it, so that times compare as text. @throws {Problem} when it is none */
export function timeOf(text: string, code: ManagementCode, field: string): string {
  const milliseconds = Date.parse(text);
  if (!Number.isNaN(milliseconds)) return new Date(milliseconds).toISOString();
  throw new Problem(code, `${field}: must be a time such as 2025-01-31T12:00:00Z.`);
}
