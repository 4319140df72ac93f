/** One change, in a line. */
import type { ChangeView } from "../../model/change.ts";
import { pageAt } from "../address.ts";
import { Moment } from "./reader.tsx";

/** Where a resource of that kind is looked at; tokens and variations have no page of their own. */
export function pageOfResource(type: string, id: string, of?: Record<string, unknown> | null): string | undefined {
  switch (type) {
    case "feature_flag":
      return pageAt`/flags/${id}`;
    case "variation":
      return of ? pageAt`/flags/${String(of.feature_flag_id)}` : undefined;
    case "experiment":
    case "segment":
    case "group":
    case "deployment":
    case "cohort":
      return `${pageAt`/${type}s/${id}`}`;
    case "log_stream":
      return pageAt`/log-streams/${id}`;
    default:
      return undefined;
  }
}

export function nameOfChanged({ before, after, resource_id }: ChangeView): string {
  return String((after ?? before)?.name ?? resource_id);
}

export function verbOf({ before, after }: ChangeView): string {
  return before === null ? "made" : after === null ? "deleted" : "changed";
}

export function ChangeLine({ change }: { change: ChangeView }) {
  const { at, actor, resource_type, resource_id, after } = change;
  const page = after === null ? undefined : pageOfResource(resource_type, resource_id, after);
  const name = nameOfChanged(change);
  return (
    <li>
      <Moment at={at} /> <span class="quiet">{actor}</span> {verbOf(change)} {resource_type.replaceAll("_", " ")}{" "}
      {page === undefined ? name : <a href={page}>{name}</a>}
    </li>
  );
}
