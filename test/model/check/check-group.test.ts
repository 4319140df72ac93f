import { describe, expect, it } from "vitest";
import { checkGroup } from "../../../src/model/check/check-group.ts";
import type { Group } from "../../../src/model/group.ts";
import { flag, holdout, mutex, resources } from "../resources.ts";

const flags = ["Page", "Other"].map((id) => flag({ id: `flg_${id}`, key: id.toLowerCase(), name: `Flag ${id}` }));
/** Of the last of `groups`. */
const found = (...groups: Group[]) => {
  const last = groups.at(-1);
  const problems = last ? checkGroup(last, resources({ feature_flags: flags, groups })) : [];
  return problems.map(({ code, path }) => `${code} ${path}`);
};
const slot = (percentage: number, ...feature_flag_ids: string[]) => ({ percentage, feature_flag_ids });

describe("checkGroup", () => {
  it("lets a flag be in a holdout and in a slot", () => {
    const slots = [slot(40, "flg_Page"), slot(60, "flg_Other")];
    expect(found(holdout({ feature_flag_ids: ["flg_Page", "flg_Other"] }), mutex([], { slots }))).toEqual([]);
  });

  it.each<[string, Group[], string[]]>([
    ["slots of 101%", [mutex([50, 51])], ["group_invalid_slots groups[0].slots"]],
    [
      "a flag that does not exist",
      [holdout({ feature_flag_ids: ["flg_Page", "flg_Gone"] })],
      ["feature_flag_not_found groups[0].feature_flag_ids[1]"],
    ],
    [
      "a flag in two slots",
      [mutex([], { slots: [slot(50, "flg_Page"), slot(50, "flg_Other", "flg_Page")] })],
      ["group_duplicate_flag groups[0].slots[1].feature_flag_ids[1]"],
    ],
    [
      "a flag twice in a holdout",
      [holdout({ feature_flag_ids: ["flg_Page", "flg_Page"] })],
      ["group_duplicate_flag groups[0].feature_flag_ids[1]"],
    ],
    [
      "a flag in two holdouts",
      [holdout(), holdout({ id: "grp_Second", key: "second", name: "Second" })],
      ["group_duplicate_flag groups[1].feature_flag_ids[0]"],
    ],
    [
      "a flag in two mutual exclusion groups",
      [mutex([], { slots: [slot(50, "flg_Page")] }), mutex([], { id: "grp_Second", slots: [slot(50, "flg_Page")] })],
      ["group_duplicate_flag groups[1].slots[0].feature_flag_ids[0]"],
    ],
  ])("finds %s", (_, groups, expected) => {
    expect(found(...groups)).toEqual(expected);
  });
});
