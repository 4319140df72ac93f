/** JSON of the management API's requests; what is wrong with it is a Problem. */
import { Problem } from "../../model/problem.ts";
import { findUnplain, mostLevels, skim } from "./json.ts";

/** @param field where the text stands, when it is not the body itself. @throws {Problem} 400 */
export function parseJson(text: string, field = ""): unknown {
  const { isTooDeep, member } = skim(text);
  if (isTooDeep) throw refuse(field || member, `must not be nested deeper than ${mostLevels} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse(field, `must be JSON (${error instanceof Error ? error.message : error})`);
  }
}

/** @throws {Problem} 400 when a name may reach a prototype, or a text is no Unicode */
export function expectPlain(value: unknown): void {
  const fault = findUnplain(value);
  if (fault !== undefined) throw refuse(fault.field, fault.message);
}

export function refuse(field: string, message: string): Problem {
  return new Problem("invalid_body", field === "" ? `The body ${message}.` : `${field}: ${message}.`);
}
