/** Whom and what a client asks about, in every way that clients write it. */
import * as v from "valibot";
import type { Address } from "../../assignment/address.ts";
import type { User } from "../../assignment/evaluation.ts";
import type { EvaluationContext } from "../../engine/flag.ts";
import { isRecord, parseJson, readJson } from "../serving/json.ts";
import { decodeBase64 } from "./base64.ts";
import type { Refused } from "./refuse.ts";

export interface Asked {
  user: User;
  groups: EvaluationContext["groups"];
  /** Null: all that the deployment has. */
  flagKeys: readonly string[] | null;
}

/** Ten times what a user of two hundred properties takes. */
const longestHeader = 100_000;

const keyList = v.array(v.string());

const bad = (message: string): Refused => ({ status: 400, code: "invalid_request", message });
const tooLarge: Refused = { status: 413, code: "body_too_large", message: "The request is too large." };

/** The user in the header or the body, with what stands in the query. */
export async function readAsked(request: Request, url: Address): Promise<Asked | Refused> {
  const header = request.headers.get("x-amp-exp-user");
  const keysHeader = request.headers.get("x-amp-exp-flag-keys");
  if ((header?.length ?? 0) > longestHeader || (keysHeader?.length ?? 0) > longestHeader) return tooLarge;
  const body = request.method === "POST" ? await readBody(request) : {};
  if ("status" in body) return body;
  const inHeader = header ? readUser(decodeBase64(header)) : undefined;
  if (inHeader === null) return bad("X-Amp-Exp-User must be a user as JSON in base64.");
  const query = body.form ?? url.searchParams;
  const context = query.get("context");
  const inContext = context ? readUser(context) : undefined;
  if (inContext === null) return bad("context must be a user as JSON.");
  const written = { ...body.user, ...inContext, ...inHeader };
  for (const name of ["user_id", "device_id"]) {
    const id = query.get(name);
    if (id) written[name] = id;
  }
  const flagKeys = readKeys(keysHeader, query, body.flagKeys);
  if (flagKeys === undefined) return bad("Flag keys must be a list of keys.");
  return { ...contextOf(written), flagKeys };
}

interface Body {
  user?: Record<string, unknown>;
  flagKeys?: unknown;
  form?: URLSearchParams;
}

async function readBody(request: Request): Promise<Body | Refused> {
  if (request.headers.get("content-type")?.toLowerCase().startsWith("application/x-www-form-urlencoded")) {
    const read = await readJson(request, (text) => new URLSearchParams(text));
    if (read === "too_large") return tooLarge;
    return read === "no_json" ? bad("The body must be a form.") : { form: read.json as URLSearchParams };
  }
  const read = await readJson(request, (text) => (text.trim() === "" ? {} : parseJson(text)));
  if (read === "too_large") return tooLarge;
  const noUser = bad("The body must be a user as JSON.");
  if (read === "no_json" || !isRecord(read.json)) return noUser;
  const { flag_keys: flagKeys, user, context, ...own } = read.json;
  const inner = typeof context === "string" ? parseJson(context) : (user ?? context ?? own);
  return isRecord(inner) ? { user: { ...own, ...inner }, flagKeys } : noUser;
}

/** Null for what is no user. */
function readUser(json: string | undefined): Record<string, unknown> | null {
  const user = json === undefined ? undefined : parseJson(json);
  return isRecord(user) ? user : null;
}

/** Undefined for what is no list; null where there is none, or an empty one, which asks for all as well. */
function readKeys(header: string | null, query: URLSearchParams, inBody: unknown): string[] | null | undefined {
  const one = query.get("flag_key");
  const text = query.get("flag_keys");
  const lists = [
    ...(header ? [parseJson(decodeBase64(header) ?? "")] : []),
    ...(text ? [readList(text)] : []),
    ...(inBody === undefined || inBody === null ? [] : [typeof inBody === "string" ? readList(inBody) : inBody]),
    ...(one ? [[one]] : []),
  ].map((list) => v.safeParse(keyList, list));
  const found = lists.flatMap((list) => (list.success ? list.output : []));
  if (lists.some(({ success }) => !success)) return undefined;
  return found.length === 0 ? null : found;
}

/** JSON, or keys parted by commas. */
function readList(text: string): unknown {
  if (text.trimStart().startsWith("[")) return parseJson(text);
  return text
    .split(",")
    .map((key) => key.trim())
    .filter(Boolean);
}

/** As Amplitude's SDKs make a context of a user: groups stand beside the user, each with the first name alone. */
function contextOf({
  groups: names,
  group_properties: properties,
  group_cohort_ids: cohortIds,
  // Which cohorts somebody is in is looked up, not told.
  cohort_ids: _,
  ...user
}: Record<string, unknown>): Pick<Asked, "user" | "groups"> {
  const groups: Record<string, unknown> = {};
  for (const [type, list] of Object.entries(isRecord(names) ? names : {})) {
    const name: unknown = Array.isArray(list) || typeof list === "string" ? list[0] : undefined;
    if (typeof name !== "string" || name === "") continue;
    const inner = (of: unknown): unknown => {
      const byName = isRecord(of) && Object.hasOwn(of, type) ? of[type] : undefined;
      const found = isRecord(byName) && Object.hasOwn(byName, name) ? byName[name] : undefined;
      return typeof found === "object" && found !== null && Object.keys(found).length > 0 ? found : undefined;
    };
    const group_properties = inner(properties);
    const cohort_ids = inner(cohortIds);
    groups[type] = {
      group_name: name,
      ...(group_properties === undefined ? {} : { group_properties }),
      ...(cohort_ids === undefined ? {} : { cohort_ids }),
    };
  }
  return { user, groups: Object.keys(groups).length > 0 ? groups : undefined };
}
