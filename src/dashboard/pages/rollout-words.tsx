/** How a flag is rolled out, in words. */
import type { FeatureFlag } from "../../model/feature-flag.ts";
import type { RolloutTarget } from "../../model/rollout.ts";
import { pageAt } from "../address.ts";
import { type Names, nameIn } from "../parts/allocation.tsx";
import { Facts } from "../parts/facts.tsx";
import { counted, reading } from "../parts/reader.tsx";

export function RolloutWords({ flag: { rollout = {} }, segments }: { flag: FeatureFlag; segments: Names }) {
  const {
    bucketing_key = "device_id",
    bucketing_salt,
    dependencies = {},
    inclusions = {},
    targeting = [],
    all_users,
  } = rollout;
  return (
    <>
      <p class="quiet">
        Who gets what without an experiment. Dependencies, inclusions and stickiness hold for experiments on it too.
      </p>
      <Facts
        of={[
          ["By", bucketing_key === "user_id" ? "user" : "device"],
          ["Salt", bucketing_salt === undefined ? undefined : <code>{bucketing_salt}</code>],
          [
            "Needs",
            wordsOf(Object.entries(dependencies).map(([key, allowed]) => `${key} to be ${allowed.join(" or ")}`)),
          ],
          [
            "Included",
            wordsOf(
              Object.entries(inclusions).map(
                ([key, { user_ids, device_ids }]) =>
                  `${key}: ${counted(reading(), user_ids.length, "user")}, ${counted(reading(), device_ids.length, "device")}`,
              ),
            ),
          ],
          ["Sticky", rollout.sticky_bucketing ? "yes: whoever has a variation keeps it" : undefined],
          [
            "Targets",
            targeting.length === 0 ? undefined : (
              <ol class="segments">
                {targeting.map((target) => (
                  <li>
                    {target.name}: <Who of={target} segments={segments} /> → {target.percentage}%,{" "}
                    {sharesText(target.weights)}
                  </li>
                ))}
              </ol>
            ),
          ],
          [
            "Everyone else",
            all_users === undefined ? "nothing" : `${all_users.percentage}%, ${sharesText(all_users.weights)}`,
          ],
        ]}
      />
    </>
  );
}

function wordsOf(lines: readonly string[]) {
  if (lines.length === 0) return undefined;
  return (
    <ul class="lines">
      {lines.map((line) => (
        <li>{line}</li>
      ))}
    </ul>
  );
}

function Who({ of: { segment_id, conditions = [] }, segments }: { of: RolloutTarget; segments: Names }) {
  if (segment_id !== undefined) return <a href={pageAt`/segments/${segment_id}`}>{nameIn(segments, segment_id)}</a>;
  if (conditions.length === 0) return <>everyone</>;
  const texts = conditions.map((all) =>
    all.map(({ selector, op, values }) => `${selector.slice(2).join(".")} ${op} ${values.join(", ")}`).join(" and "),
  );
  return <>{texts.join("; or ")}</>;
}

/** Shares of the whole in percent. */
function sharesText(weights: Readonly<Record<string, number>>): string {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.entries(weights)
    .map(([key, weight]) => `${key} ${total === 0 ? 0 : Math.round((weight / total) * 1000) / 10}%`)
    .join(" · ");
}
