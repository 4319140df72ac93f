/** Whether the rules and names of the experiment mean what they should. */
import { type Check, type Finding, noLedger, percent } from "../check.ts";
import { plural, type Scene } from "../scene.ts";
import { total } from "../split.ts";

const minuteMs = 60_000;

export const variationOff: Check<Scene> = {
  id: "variation_off",
  title: "No variation is called off",
  fix: "Give it another name and key: off is what subjects without a variation get, and could not be told from it.",
  find({ record: { variations } }) {
    const isOff = (text: string) => text.trim().toLowerCase() === "off";
    const found = variations
      .filter(({ key, name }) => isOff(key) || isOff(name))
      .map(({ id, name, key }) => ({ id, name, key }));
    const evidence = { variations: found };
    if (found.length === 0) return { status: "pass", detail: "None is.", evidence };
    return { status: "fail", detail: `${found.map(({ name, id }) => `"${name}" (${id})`).join(", ")} is.`, evidence };
  },
};

export const attributesPresent: Check<Scene> = {
  id: "attributes_present",
  title: "Properties that rules ask about are there on all platforms",
  thresholds: ["missing_property_warn_share", "missing_property_fail_share", "min_units"],
  fix: "Where a property is absent no rule on it matches. Send it from that platform with every fetch, or leave it out of the rules.",
  find({ record: { properties }, counts, thresholds }) {
    if (counts === null) return noLedger;
    if (properties.length === 0 && counts.missing.length === 0) {
      return { status: "not_applicable", detail: "No rule asks about a property." };
    }
    const assigned = new Map(
      [
        ...Map.groupBy(
          counts.attributes.filter(({ name }) => name === "platform"),
          ({ value }) => value,
        ),
      ].map(([platform, cells]) => [platform, total(cells, (cell) => cell.assigned)]),
    );
    const gaps = counts.missing.flatMap(({ property, platform, units }) => {
      const all = assigned.get(platform) ?? 0;
      return all < thresholds.min_units ? [] : [{ property, platform, missing: units, assigned: all }];
    });
    const evidence = { properties: [...properties], platforms: Object.fromEntries(assigned), gaps };
    if ([...assigned.values()].every((units) => units < thresholds.min_units)) {
      return { status: "insufficient_data", detail: "No platform has enough units yet.", evidence };
    }
    const worst = gaps.filter(({ missing, assigned: all }) => missing / all >= thresholds.missing_property_warn_share);
    if (worst.length === 0) return { status: "pass", detail: "They are.", evidence };
    const fails = worst.some(({ missing, assigned: all }) => missing / all >= thresholds.missing_property_fail_share);
    const words = worst.map(
      ({ property, platform, missing, assigned: all }) => `${property} on ${platform} (${percent(missing / all)})`,
    );
    return { status: fails ? "fail" : "warn", detail: `Missing: ${words.join(", ")}.`, evidence };
  },
};

export const cohortAge: Check<Scene> = {
  id: "cohort_age",
  title: "Cohorts are fresh",
  thresholds: ["cohort_warn_schedules", "cohort_fail_schedules"],
  fix: "GET /cohorts/{id} shows the last error; POST /cohorts/{id}/refresh fetches it now. Until it can be fetched, rules go by the members it had.",
  find({ record, cohorts, nowMs, thresholds }): Finding {
    if (record.cohorts.length === 0) return { status: "not_applicable", detail: "No rule asks about a cohort." };
    if (cohorts === null) return { status: "insufficient_data", detail: "The cohorts cannot be reached." };
    const ages = record.cohorts.map(({ id, name, is_fetched, refresh_minutes }) => {
      const { refreshed_at = null, error = null } = cohorts[id] ?? {};
      const minutes = refreshed_at === null ? null : Math.floor((nowMs - Date.parse(refreshed_at)) / minuteMs);
      return { id, name, is_fetched, refresh_minutes, refreshed_at, minutes, error };
    });
    const evidence = { cohorts: ages };
    const never = ages.filter(({ minutes }) => minutes === null);
    // Nobody knows when members that are pushed should have been.
    const old = (schedules: number) =>
      ages.filter(({ is_fetched, minutes, refresh_minutes }) => {
        return is_fetched && minutes !== null && minutes >= schedules * refresh_minutes;
      });
    const tooOld = old(thresholds.cohort_fail_schedules);
    const named = (list: typeof ages) => list.map(({ name }) => `"${name}"`).join(", ");
    if (never.length > 0)
      return { status: "fail", detail: `Never filled: ${named(never)}. Nobody is assigned by it.`, evidence };
    if (tooOld.length > 0) return { status: "fail", detail: `Not refreshed for long: ${named(tooOld)}.`, evidence };
    const late = old(thresholds.cohort_warn_schedules);
    if (late.length > 0) return { status: "warn", detail: `Overdue: ${named(late)}.`, evidence };
    return { status: "pass", detail: `${plural(ages.length, "cohort")} as fresh as it should be.`, evidence };
  },
};
