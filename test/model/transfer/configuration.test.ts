import { describe, expect, it } from "vitest";
import { readConfiguration } from "../../../src/model/transfer/configuration.ts";

const at = "2025-01-31T12:00:00.000Z";
const flags = [
  {
    name: "Login page",
    parameters: { headline: { type: "string", value: "Sign in" } },
    variations: [{ name: "Control" }, { name: "Très chic!", overrides: { headline: { value: "Welcome" } } }],
  },
];
const read = (input: unknown) => {
  const outcome = readConfiguration(input, { at });
  if ("problems" in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.resources;
};
const problems = (input: unknown) => {
  const outcome = readConfiguration(input, { at });
  return "problems" in outcome ? outcome.problems.map(({ path, message }) => `${path}: ${message}`) : [];
};

describe("readConfiguration", () => {
  it("derives keys from names, ids from keys, and takes times from its caller", () => {
    const { feature_flags, variations } = read({ feature_flags: flags });
    expect(feature_flags).toEqual([
      {
        id: expect.stringMatching(/^flg_[A-HJ-NP-Za-km-z1-9]{10,}$/),
        key: "login_page",
        name: "Login page",
        type: "self",
        status: "active",
        deployments: ["gate"],
        parameters: { headline: { type: "string", value: "Sign in" } },
        created_at: at,
        updated_at: at,
      },
    ]);
    expect(variations.map(({ key }) => key)).toEqual(["control", "tres_chic"]);
    expect(new Set(variations.map(({ id }) => id)).size).toBe(2);
    expect(variations.every(({ feature_flag_id }) => feature_flag_id === feature_flags[0]?.id)).toBe(true);
  });

  it("derives the same ids each time", () => {
    expect(read({ feature_flags: flags })).toEqual(read({ feature_flags: structuredClone(flags) }));
  });

  it("has the kind's key, as the API has, for a name in letters that no key has; it steps aside", () => {
    const page = (name: string, ...variations: string[]) => ({
      name,
      parameters: { headline: { type: "string", value: "Sign in" } },
      variations: variations.map((variation) => ({ name: variation })),
    });
    const group = (name: string, type: string) =>
      type === "holdout"
        ? { name, type, percentage: 5, feature_flag_ids: [] }
        : { name, type, slots: [{ percentage: 100, feature_flag_ids: ["flag_2"] }] };
    const file = {
      feature_flags: [
        page("登录页", "对照版", "Prototype", "新版本"),
        page("Flag", "Ein"),
        { ...page("注册页"), key: "flag_3" },
      ],
      groups: [group("第一组", "holdout"), group("第二组", "mutual_exclusion"), group("第三组", "holdout")],
    };
    const made = read(file);
    expect(made.feature_flags.map(({ key }) => key)).toEqual(["flag_2", "flag", "flag_3"]);
    expect(made.variations.map(({ key }) => key)).toEqual(["variation", "variation_2", "variation_3", "ein"]);
    expect(made.groups.map(({ key }) => key)).toEqual(["group", "group", "group_2"]);
    expect(made.groups[1]).toMatchObject({ slots: [{ feature_flag_ids: [made.feature_flags[0]?.id] }] });

    // The same again, whatever it is called by now and whatever the file says first.
    const [, ...others] = made.feature_flags;
    const [first] = made.feature_flags;
    if (first === undefined) throw new Error("no flag");
    const current = { ...made, feature_flags: [{ ...first, name: "Renamed" }, ...others] };
    const again = readConfiguration(
      { ...file, feature_flags: [page("重置页"), ...file.feature_flags.toReversed()] },
      { at, current },
    );
    if ("problems" in again) throw new Error(JSON.stringify(again.problems));
    const ids = made.feature_flags.map(({ id }) => id).toReversed();
    expect(again.resources.feature_flags.map(({ id }) => id)).toEqual([expect.any(String), ...ids]);
    expect(ids).not.toContain(again.resources.feature_flags[0]?.id);
    expect(again.resources.feature_flags.map(({ key }) => key)).toEqual(["flag_4", "flag_3", "flag", "flag_2"]);
  });

  it("resolves keys and names to ids", () => {
    const { experiments, feature_flags, variations, segments } = read({
      feature_flags: [
        {
          ...flags[0],
          rollout: { targeting: [{ name: "Phones", segment_id: "Mobile", percentage: 1, weights: { control: 1 } }] },
        },
      ],
      experiments: [
        {
          name: "Trial",
          feature_flag_id: "login_page",
          allocation_strategy: "segment",
          allocations: [
            { variation_id: "tres_chic", segment_id: "Mobile", priority: 1 },
            { variation_id: "control", is_control: true, is_fallback: true },
          ],
        },
      ],
      segments: [{ name: "Mobile", rules: [{ match: { device_type: ["mobile"] } }] }],
    });
    expect(experiments).toMatchObject([
      {
        feature_flag_id: feature_flags[0]?.id,
        status: "draft",
        epoch: 1,
        assignment_config: { subject: "device" },
        allocations: [
          { variation_id: variations[1]?.id, segment_id: segments[0]?.id, is_control: false },
          { variation_id: variations[0]?.id, is_control: true },
        ],
      },
    ]);
    expect(feature_flags[0]?.rollout?.targeting?.[0]?.segment_id).toBe(segments[0]?.id);
  });

  it.each<[string, unknown, string[]]>([
    ["no object", 3, [": must be an object, not 3"]],
    [
      "a parameter that would be lost",
      JSON.parse('{"feature_flags":[{"name":"Page","parameters":{"__proto__":{}},"variations":[]}]}'),
      ["feature_flags[0].parameters: a name must not be __proto__, constructor, prototype"],
    ],
    ["a property of no meaning", { feature_flags: [], flags: [] }, ["flags: is not a known property"]],
    [
      "a name that gives a reserved key",
      { feature_flags: [{ name: "Page", variations: [{ name: "Off" }] }] },
      [
        'feature_flags[0].variations[0].key: the name gives the key "off", which must not be `off`, which means no variation; give the variation another name or key',
      ],
    ],
  ])("explains %s", (_, input, expected) => {
    expect(problems(input)).toEqual(expected);
  });

  it("lists every fault with its place and what would be right", () => {
    const input = {
      feature_flags: [
        {
          id: "flg_0",
          name: "x",
          parameters: { size: { type: "number", value: "big" }, text: { type: "text", value: 1 } },
          variations: [{ overrides: { size: 3 } }],
        },
      ],
      experiments: [{ name: "Trial", feature_flag_id: "x", status: "running", allocations: [{ weight: 101 }] }],
      segments: [{ name: "All", rules: [{ match: { device: ["mobile"] } }, { match: { browser: "chrome" } }, {}] }],
    };
    expect(problems(input)).toMatchInlineSnapshot(`
      [
        "feature_flags[0].id: must be the id of a feature flag: "flg_", then letters and digits without 0, O, I and l",
        "feature_flags[0].name: must have at least 3 characters",
        "feature_flags[0].parameters.size.value: must be of the declared type, number",
        "feature_flags[0].parameters.text.type: must be one of string, boolean, number, array, object",
        "feature_flags[0].variations[0].name: is missing",
        "feature_flags[0].variations[0].overrides.size: must be an object, not 3",
        "experiments[0].status: must be one of draft, active, paused, completed, archived",
        "experiments[0].allocations[0].variation_id: is missing",
        "experiments[0].allocations[0].weight: must be at most 100",
        "segments[0].rules[0].match.device: is not a known property",
        "segments[0].rules[1].match.browser: must be one of ["v"], {"contains": ["v"]}, {"starts_with": ["v"]}, {"ends_with": ["v"]}, {"exists": true}, each list with at least one text",
        "segments[0].rules[2]: must hold match, not_match or both",
      ]
    `);
  });
});
