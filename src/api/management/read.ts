/** Query strings and bodies, checked against their schemas. */
import * as v from "valibot";
import { Problem } from "../../model/problem.ts";

const none = v.strictObject({});

export function readQuery(schema: v.GenericSchema | undefined, url: URL): unknown {
  const parsed = v.safeParse(schema ?? none, Object.fromEntries(url.searchParams));
  if (!parsed.success) throw new Problem("invalid_query_string", describe(parsed.issues));
  return parsed.output;
}

export async function readBody(schema: v.GenericSchema, request: Request): Promise<unknown> {
  let body: unknown;
  try {
    body = await request.json();
  } catch (error) {
    throw new Problem("invalid_body", String(error));
  }
  const parsed = v.safeParse(schema, body);
  if (!parsed.success) throw new Problem("invalid_body", describe(parsed.issues));
  return parsed.output;
}

function describe(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map((issue) => [v.getDotPath(issue), issue.message].filter(Boolean).join(": ")).join("; ");
}
