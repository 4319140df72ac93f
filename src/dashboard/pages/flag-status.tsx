/** What becomes of a feature flag: activated, archived, deleted. */
import type { FeatureFlagStatus } from "../../model/feature-flag.ts";
import { pageAt } from "../address.ts";
import { confirmPage, deletePage } from "../forms/confirm-page.tsx";
import { listsUnder } from "../parts/head.tsx";
import type { Handler } from "../visit.ts";
import { readFlag, under } from "./flag.tsx";

const [list] = listsUnder.flags;

export const flagStatus: Handler = async (visit) => {
  const { id, name } = await readFlag(visit);
  const page = pageAt`/flags/${id}`;
  const status = (visit.form.get("to") ?? visit.url.searchParams.get("to")) as FeatureFlagStatus;
  const isStart = status === "active";
  return confirmPage(visit, {
    title: isStart ? `Activate “${name}”?` : `Archive “${name}”?`,
    under: [...under, [page, name]],
    lead: isStart ? (
      <p>
        Its rollout then holds for whoever fetches it, and experiments on it can be activated. It can be archived later,
        and not become a draft again.
      </p>
    ) : (
      <p>For good: an archived flag is evaluated no more, cannot be changed, and never comes back.</p>
    ),
    action: isStart ? "Activate it" : "Archive it",
    isDangerous: !isStart,
    cancel: page,
    fields: { to: status ?? "" },
    send: () => visit.api.send("POST", `/feature-flags/${id}/status`, { status }),
    done: () => ({ to: `${page}?done=status` }),
  });
};

export const deleteFlag: Handler = async (visit) => {
  const { id, name } = await readFlag(visit);
  return deletePage(visit, {
    what: "the feature flag",
    name,
    under,
    path: `/feature-flags/${id}`,
    page: pageAt`/flags/${id}`,
    list,
    consequence:
      "It is gone for good, and its variations with it. While an experiment, a flag or a group needs it, it stays.",
  });
};
