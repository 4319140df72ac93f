/** The tenant's log: onwards from an entry that is known, or page by page, as Auth0's API gives it. */
import * as v from "valibot";
import { within } from "../../alarms/deadline.ts";
import type { EntryQuestion, FoundEntries } from "../../logs/find-entries.ts";
import { findQueryFault } from "../../logs/query/parse.ts";
import type { LogEntryView } from "../../model/log-entry.ts";
import { Problem } from "../../model/problem.ts";
import { logStep } from "./log-step.ts";

const giveUpMs = 10_000;
const most = 100;
const usual = 50;
/** Whoever wants more of them reads on from one to the next. */
const mostByPage = 1_000;

const whole = (least: number, mostOf: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${mostOf}`),
    v.transform(Number),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(mostOf, `must be at most ${mostOf}`),
  );
const truth = v.pipe(
  v.picklist(["true", "false"], "must be true or false"),
  v.transform((text) => text === "true"),
);

export const logQuerySchema = v.pipe(
  v.strictObject({
    q: v.exactOptional(
      v.pipe(
        v.string(),
        v.rawCheck(({ dataset, addIssue }) => {
          const fault = dataset.typed && dataset.value.trim() !== "" ? findQueryFault(dataset.value) : null;
          if (fault !== null) addIssue({ message: fault });
        }),
      ),
    ),
    from: v.exactOptional(v.pipe(v.string(), v.minLength(1, "must be the log_id of an entry"))),
    take: v.exactOptional(whole(1, most)),
    page: v.exactOptional(whole(0, mostByPage)),
    per_page: v.exactOptional(whole(1, most)),
    sort: v.exactOptional(v.picklist(["date:1", "date:-1"], "must be date:1 or date:-1")),
    include_totals: v.exactOptional(truth),
    fields: v.exactOptional(v.pipe(v.string(), v.regex(/^\w+(,\w+)*$/, "must be names of fields, parted by commas"))),
    include_fields: v.exactOptional(truth),
  }),
  v.check(
    ({ from, take, page, per_page, sort, include_totals }) =>
      (from ?? take) === undefined || (page ?? per_page ?? sort ?? include_totals) === undefined,
    "must hold from and take, or page, per_page, sort and include_totals, not some of both",
  ),
  v.check(
    ({ page = 0, per_page = usual }) => (page + 1) * per_page <= mostByPage,
    `must not go beyond ${mostByPage} entries by page; narrow q by date, or read on with from and take`,
  ),
);
type LogQuery = v.InferOutput<typeof logQuerySchema>;

export const findEntries = logStep(async ({ logbook, query, request }) => {
  const asked = query as LogQuery;
  const found = await within(giveUpMs, logbook.find(questionOf(asked)));
  if (!found.ok) throw refused(found);
  const entries = found.entries.map((entry) => partOf(entry, asked));
  if (asked.include_totals) {
    const { page = 0, per_page: limit = usual } = asked;
    return { json: { start: page * limit, limit, length: entries.length, total: found.total, logs: entries } };
  }
  return { json: entries, ...(found.checkpoint === undefined ? {} : linkTo(found.checkpoint, request)) };
});

export const getEntry = logStep(async ({ logbook, params }) => {
  const entry = await within(giveUpMs, logbook.get(params.log_id ?? ""));
  if (entry === null) throw new Problem("log_not_found");
  return { json: entry };
});

function questionOf({ q = "", from, take, page = 0, per_page = usual, sort, include_totals }: LogQuery): EntryQuestion {
  const asked = q.trim() === "" ? {} : { q };
  if (from !== undefined || take !== undefined) {
    return { ...asked, by: "checkpoint", ...(from === undefined ? {} : { from }), take: take ?? usual };
  }
  return {
    ...asked,
    by: "page",
    page,
    perPage: per_page,
    newestFirst: sort !== "date:1",
    hasTotal: include_totals ?? false,
  };
}

function refused(found: FoundEntries & { ok: false }): Problem {
  if (found.reason === "unknown_checkpoint") {
    return new Problem("invalid_query_string", "from: no entry has this log_id any more; begin anew with take alone.");
  }
  const looked = `${found.lookedAt} entries were looked at, up to ${found.reached}, and there are more`;
  return new Problem("invalid_query_string", `q: ${looked}; narrow it by date:[… TO …] or type, or read on with take.`);
}

/** RFC 8288: where the next question goes on. */
function linkTo(checkpoint: string, { url }: Request): { headers: Record<string, string> } {
  const next = new URL(url);
  next.searchParams.set("from", checkpoint);
  return { headers: { link: `<${next.href}>; rel="next"` } };
}

function partOf(entry: LogEntryView, { fields, include_fields = true }: LogQuery): Partial<LogEntryView> {
  if (fields === undefined) return entry;
  const named = new Set(fields.split(","));
  return Object.fromEntries(Object.entries(entry).filter(([name]) => named.has(name) === include_fields));
}
