/** A file's form. */
import * as v from "valibot";
import { type ConfigurationProblem, problemOf } from "./configuration-problem.ts";
import { type Configuration, configurationSchema } from "./configuration-schema.ts";

/** After so many faults the rest of the file is not looked at: nobody mends more at a time. */
const mostFaults = 100;
/** Of a longer entry only the first fault is told. */
const mostInDetail = 16_384;

export function parseConfiguration(input: unknown): { file: Configuration } | { problems: ConfigurationProblem[] } {
  // A list is an object to valibot, here one without anything in it.
  if (Array.isArray(input)) {
    return { problems: [{ path: "", message: "must be an object such as an export gives, not a list" }] };
  }
  const parsed = v.safeParse(configurationSchema, input, { abortEarly: true });
  if (parsed.success) return { file: parsed.output };
  const problems: ConfigurationProblem[] = [];
  for (const fault of faultsOf(input)) {
    if (problems.push(fault) === mostFaults) break;
  }
  return { problems: problems.length > 0 ? problems : parsed.issues.map(problemOf) };
}

/** Entry by entry, so that a file of nothing but faults costs no more than telling some of them. */
function* faultsOf(input: unknown): Generator<ConfigurationProblem> {
  if (typeof input !== "object" || input === null) return;
  for (const [name, entries] of Object.entries(input)) {
    const isList = Object.hasOwn(configurationSchema.entries, name) && Array.isArray(entries);
    for (const [place, entry] of (isList ? entries : [entries]).entries()) {
      const abortEarly = !isList || JSON.stringify(entry).length > mostInDetail;
      const { issues = [] } = v.safeParse(configurationSchema, { [name]: isList ? [entry] : entry }, { abortEarly });
      for (const issue of issues) {
        const { path, message } = problemOf(issue);
        yield { path: isList ? path.replace(`${name}[0]`, `${name}[${place}]`) : path, message };
      }
    }
  }
}
