import { flagNamesCohort, segmentNamesCohort } from "../../model/check/cohort-users.ts";
import type {
  Cohort,
  CohortCreate,
  CohortCredentials,
  CohortIdType,
  CohortPatch,
  CohortSource,
  CohortView,
} from "../../model/cohort.ts";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import { shown } from "../../model/shown.ts";
import { type CommandContext, type Input, merged, type TenantSettings } from "../command.ts";
import type { Draft } from "../tables.ts";

type Id = Input<"id", unknown>;

/** Members and refreshes are the cohort object's: here it is only said whether it may be asked for them. */
export const cohortCommands = {
  get_cohorts({ draft }: CommandContext, { query }: Input<never, PageQuery & { id_type?: CohortIdType }>) {
    const rows = draft
      .rows("cohort")
      .filter(({ item }) => query.id_type === undefined || item.id_type === query.id_type);
    const { items, ...page } = pageOf(rows, query);
    return { cohorts: items.map((cohort) => viewOf(draft, cohort)), ...page };
  },

  create_cohort(context: CommandContext, { body }: Input<never, unknown, CohortCreate>) {
    const { at, newId } = context;
    const { credentials, ...fields } = body;
    const cohort: Cohort = { id: newId("coh"), ...fields, created_at: at, updated_at: at };
    return store(context, cohort, credentials);
  },

  get_cohort({ draft }: CommandContext, { params }: Id) {
    return viewOf(draft, find(draft, params.id));
  },

  update_cohort(context: CommandContext, { params, body }: Input<"id", unknown, CohortPatch>) {
    const { draft, at } = context;
    const before = find(draft, params.id);
    const { credentials = draft.get("secret", before.id)?.credentials, ...changes } = body;
    const cohort = { ...merged(before, changes), updated_at: at };
    // Whoever may lead a cohort elsewhere must not learn there what the source was asked with.
    const isElsewhere = originOf(cohort) !== null && originOf(cohort) !== originOf(before);
    if (isElsewhere && credentials !== null && credentials !== undefined && body.credentials === undefined) {
      const right = "must be sent again, or null, when source.url leads to another origin";
      throw new Problem("invalid_body", `credentials: ${right}.`);
    }
    const isKept = cohort.source.type === "url" || body.credentials !== undefined;
    return store(context, cohort, isKept ? (credentials ?? undefined) : undefined);
  },

  delete_cohort({ draft }: CommandContext, { params }: Id) {
    const cohort = draft.get("cohort", params.id);
    if (cohort === undefined) return;
    const users = usersOf(draft, cohort.id);
    if (users.length > 0) throw new Problem("cohort_in_use", `In use by ${users.join(", ")}.`);
    draft.remove("cohort", cohort.id);
    draft.remove("secret", cohort.id);
  },

  refresh_cohort({ draft }: CommandContext, { params }: Id) {
    const cohort = find(draft, params.id);
    if (cohort.source.type === "push") {
      throw new Problem("cohort_not_fetched", "Put its members: PUT /cohorts/{id}/members.");
    }
    return viewOf(draft, cohort);
  },

  get_cohort_member({ draft }: CommandContext, { params }: Input<"id" | "member_id", unknown>) {
    return viewOf(draft, find(draft, params.id));
  },

  get_cohort_members({ draft }: CommandContext, { params }: Id) {
    return viewOf(draft, find(draft, params.id));
  },

  add_cohort_members({ draft }: CommandContext, { params }: Id) {
    return viewOf(draft, findPushed(draft, params.id));
  },

  remove_cohort_members({ draft }: CommandContext, { params }: Id) {
    return viewOf(draft, findPushed(draft, params.id));
  },

  replace_cohort_members({ draft }: CommandContext, { params }: Id) {
    return viewOf(draft, findPushed(draft, params.id));
  },
};

function find(draft: Draft, id: string): Cohort {
  const cohort = draft.get("cohort", id);
  if (cohort === undefined) throw new Problem("cohort_not_found");
  return cohort;
}

function findPushed(draft: Draft, id: string): Cohort {
  const cohort = find(draft, id);
  if (cohort.source.type === "push") return cohort;
  throw new Problem("cohort_not_pushed", 'Change its source to {"type": "push"} first.');
}

function viewOf(draft: Draft, cohort: Cohort): CohortView {
  return { ...shown("cohort", cohort), has_credentials: draft.get("secret", cohort.id) !== undefined };
}

function store(
  { draft, tenant }: CommandContext,
  cohort: Cohort,
  credentials: CohortCredentials | undefined,
): CohortView {
  const fault = sourceFault(cohort.source, tenant);
  if (fault !== undefined) throw new Problem("invalid_body", `source.url: ${fault}.`);
  if (cohort.source.type === "push" && credentials !== undefined) {
    throw new Problem("invalid_body", "credentials: must not be sent; nothing is fetched of a pushed cohort.");
  }
  const namesake = draft.all("cohort").find(({ id, name }) => name === cohort.name && id !== cohort.id);
  if (namesake !== undefined) throw new Problem("cohort_name_taken", `It is ${namesake.id}.`);
  draft.put("cohort", cohort);
  if (credentials === undefined) draft.remove("secret", cohort.id);
  else draft.put("secret", { id: cohort.id, credentials });
  return viewOf(draft, cohort);
}

function sourceFault(source: CohortSource, { refusedAddresses }: TenantSettings): string | undefined {
  return source.type === "url" ? refusedAddresses?.[source.url] : undefined;
}

/** Null where nothing is fetched. */
export function originOf(cohort: Cohort | undefined): string | null {
  const { source } = cohort ?? {};
  return source?.type === "url" && URL.canParse(source.url) ? new URL(source.url).origin : null;
}

function usersOf(draft: Draft, cohortId: string): string[] {
  const segments = draft.all("segment").filter((segment) => segmentNamesCohort(segment, cohortId));
  const flags = draft.all("feature_flag").filter((flag) => flagNamesCohort(flag, cohortId));
  return [
    ...segments.map(({ name }) => `segment "${name}"`),
    ...flags.map(({ name }) => `the rollout of feature flag "${name}"`),
  ];
}
