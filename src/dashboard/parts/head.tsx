/** The head of a page: where it stands, what it is called, what can be done. */
import type { Child } from "hono/jsx";
import { pageAt } from "../address.ts";

interface HeadProps {
  title: string;
  /** Address and name of what is above it. */
  under?: readonly (readonly [string, string])[];
  children?: Child;
}

export function Head({ title, under = [], children }: HeadProps) {
  return (
    <div class="head">
      {under.length > 0 && (
        <nav class="crumbs" aria-label="Above this page">
          {under.map(([href, name], place) => (
            <>
              {place > 0 && <span aria-hidden="true"> / </span>}
              <a href={href}>{name}</a>
            </>
          ))}
        </nav>
      )}
      <h1>{title}</h1>
      {children}
    </div>
  );
}

const words: Readonly<Record<string, string>> = {
  made: "Made.",
  saved: "Saved.",
  deleted: "Deleted.",
  unchanged: "Nothing differed, and nothing was changed.",
  status: "Its status was changed.",
  ramped: "The ramp went up.",
  refreshed: "The source was asked.",
  pushed: "The members were taken.",
};

/** What was just done, as the address says. */
export function Done({ url }: { url: URL }) {
  const text = words[url.searchParams.get("done") ?? ""];
  return text === undefined ? null : (
    <p class="notice" role="status">
      {text}
    </p>
  );
}

export const listsUnder = {
  experiments: [pageAt`/experiments`, "Experiments"],
  flags: [pageAt`/flags`, "Feature flags"],
  segments: [pageAt`/segments`, "Segments"],
  cohorts: [pageAt`/cohorts`, "Cohorts"],
  groups: [pageAt`/groups`, "Groups"],
  deployments: [pageAt`/deployments`, "Deployments"],
  tokens: [pageAt`/tokens`, "Tokens"],
  streams: [pageAt`/log-streams`, "Log streams"],
} as const;
