import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import sample from "../../../scripts/sample/login-page.json" with { type: "json" };
import type { Resources } from "../../../src/model/resources.ts";
import type { ConfigurationFile } from "../../../src/model/transfer/configuration-schema.ts";
import { exportConfiguration } from "../../../src/model/transfer/export-configuration.ts";
import { changes, faults, imported, plan } from "../importing.ts";
import { configurations } from "./configurations.ts";

const later = "2025-02-01T12:00:00.000Z";
const tenant = imported(sample);
const base = exportConfiguration(tenant) as unknown as ConfigurationFile;

type Entry = Record<string, unknown>;

/** The exported sample with an entry of a list changed. */
function edited(list: keyof ConfigurationFile, place: number, edit: Entry): ConfigurationFile {
  const entries = [...((base[list] ?? []) as Entry[])];
  entries[place] = { ...entries[place], ...edit };
  return { ...base, [list]: entries };
}

const first = ({ experiments = [] }: ConfigurationFile) => experiments[0] as Entry;

/** The sample's first experiment in another state, and a file that says the same of it. */
function inState(status: string, edit: Entry = {}): { current: Resources; file: ConfigurationFile } {
  const file = edited("experiments", 0, { status, ...edit });
  const current = imported(file);
  return { current, file: exportConfiguration(current) as unknown as ConfigurationFile };
}

const lopsided = [
  { variation_id: "control", weight: 20, is_control: true },
  { variation_id: "welcoming", weight: 80 },
];

describe("export and import", () => {
  it("bring a tenant into an empty one whole, and change nothing where it came from", { timeout: 60_000 }, () => {
    return fc.assert(
      fc.property(configurations, (file) => {
        const made = imported(file);
        const exported = exportConfiguration(made);
        expect(plan(exported, { current: made, at: later })).toEqual({ steps: [], problems: [] });
        expect(plan(exported, { current: made, at: later, prune: true })).toEqual({ steps: [], problems: [] });
        expect(changes(file, { current: made, at: later, prune: true })).toEqual([]);
        // As text: the order of fields is part of what is kept in git.
        const again = exportConfiguration(imported(exported, { at: later }));
        expect(JSON.stringify(again, null, 2)).toBe(JSON.stringify(exported, null, 2));
      }),
      { numRuns: 150 },
    );
  });

  it("refers by key and name, unless that would mean another", () => {
    const [login, signUp] = base.experiments ?? [];
    expect(login).toMatchObject({ feature_flag_id: "login_page", allocations: [{ variation_id: "control" }, {}] });
    expect(signUp).toMatchObject({ allocations: [{ segment_id: "Mobile visitors" }, {}] });
    const misleading = { ...tenant, segments: tenant.segments.map((one) => ({ ...one, name: "seg_Other" })) };
    const twin = {
      ...misleading,
      segments: [...misleading.segments, { ...misleading.segments[0], id: "seg_Other", name: "Other" }],
    };
    const { experiments } = exportConfiguration(twin as Resources);
    expect(experiments[1]?.allocations[0]?.segment_id).toBe("seg_Mobi1eVisitors");
  });

  it("tell the built-in deployment from one named gate, which a file of version 1 means if there is one", () => {
    const flags = (deployments: string[]) => [
      { name: "Page", status: "draft", deployments, variations: [{ name: "Control" }] },
    ];
    const file = { version: 2, deployments: [{ name: "gate", type: "client" }], feature_flags: flags([]) };
    const tenant = imported(file as ConfigurationFile);
    const { id } = tenant.deployments[0] as { id: string };
    for (const deployments of [["gate"], [id], ["gate", id]]) {
      const current = {
        ...tenant,
        feature_flags: tenant.feature_flags.map((flag) => ({ ...flag, deployments })),
      } as Resources;
      const exported = exportConfiguration(current) as unknown as ConfigurationFile;
      expect(imported(exported).feature_flags[0]?.deployments).toEqual(deployments);
      expect(plan(exported, { current }).steps).toEqual([]);
    }
    const old = { deployments: file.deployments, feature_flags: flags(["gate"]) } as ConfigurationFile;
    expect(imported(old).feature_flags[0]?.deployments).toEqual([id]);
    const silent = { ...old, feature_flags: [{ name: "Page", status: "draft", variations: [{ name: "Control" }] }] };
    expect(imported(silent).feature_flags[0]?.deployments).toEqual(["gate"]);
    const without = { feature_flags: flags(["gate"]) } as ConfigurationFile;
    expect(imported(without).feature_flags[0]?.deployments).toEqual(["gate"]);
  });
});

describe("what an import changes", () => {
  it("is told by resource and field, nothing else being touched", () => {
    const file = edited("feature_flags", 0, { description: "Another one." });
    const { steps } = plan(file, { current: tenant, at: later });
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({
      type: "feature_flag",
      fields: ["description"],
      after: { id: "flg_LoginPage", created_at: tenant.feature_flags[0]?.created_at, updated_at: later },
    });
  });

  it("takes away what the file no longer says of what it names", () => {
    const [{ description: _, ...rest } = {}, ...others] = base.experiments as Entry[];
    const file = { ...base, experiments: [rest, ...others] };
    const { experiments } = imported(file, { current: tenant });
    expect(experiments[0]).not.toHaveProperty("description");
  });

  it("leaves be what is not the file's business", () => {
    const { current } = inState("paused", { epoch: 4, levels: [5, 50], current_level: 50 });
    const written = { ...sample, experiments: sample.experiments.map(({ status: _, ...one }) => one) };
    (written.experiments[0] as Entry).levels = [5, 50];
    expect(changes(written, { current })).toEqual([]);
  });

  it("knows what has no id again by its key or its name", () => {
    const anonymous = JSON.parse(JSON.stringify(base, (name, value) => (name === "id" ? undefined : value)));
    expect(changes(anonymous, { current: tenant, prune: true })).toEqual([]);
  });

  it("keeps the variations' order, which decides who gets which", () => {
    const [flag] = base.feature_flags ?? [];
    const file = edited("feature_flags", 0, { variations: [...(flag?.variations ?? [])].reverse() });
    expect(changes(file, { current: tenant })).toEqual([
      "update variation Welcoming (order)",
      "update variation Control (order)",
    ]);
    const after = imported(file, { current: tenant });
    expect(exportConfiguration(after).feature_flags[0]?.variations.map(({ key }) => key)).toEqual([
      "welcoming",
      "control",
    ]);
    expect(changes(file, { current: after })).toEqual([]);
  });

  it("deletes only when asked, flags with their variations", () => {
    const file = {
      ...base,
      feature_flags: base.feature_flags?.slice(0, 1),
      experiments: base.experiments?.slice(0, 1),
      segments: [],
    };
    expect(changes(file, { current: tenant })).toEqual([]);
    expect(faults(file, { current: tenant, prune: true })).toEqual([]);
    expect(changes(file, { current: tenant, prune: true })).toEqual([
      "delete segment Mobile visitors",
      "delete feature_flag Sign-up page",
      "delete variation Control",
      "delete variation Stepwise",
      "delete experiment Stepwise sign-up on small screens",
    ]);
  });

  it("begins an epoch with another split, whatever epoch an older file says", () => {
    const { current, file } = inState("paused", { epoch: 3 });
    first(file).allocations = lopsided;
    first(file).epoch = 1;
    const after = imported(file, { current });
    expect(after.experiments[0]?.epoch).toBe(4);
    expect(changes(file, { current: after })).toEqual([]);
  });

  it("begins an epoch where a flag becomes sticky, or a group moves its subjects", () => {
    const sticky = edited("feature_flags", 0, { rollout: { sticky_bucketing: true } });
    expect(imported(sticky, { current: tenant }).experiments.map(({ epoch }) => epoch)).toEqual([2, 1]);
    const grouped = {
      ...base,
      groups: [{ type: "holdout", name: "Nobody", key: "nobody", percentage: 10, feature_flag_ids: ["login_page"] }],
    };
    expect(imported(grouped, { current: tenant }).experiments.map(({ epoch }) => epoch)).toEqual([2, 1]);
  });

  it("starts and ends experiments as their states say", () => {
    const { current, file } = inState("draft");
    first(file).status = "active";
    const active = imported(file, { current, at: later });
    expect(active.experiments[0]).toMatchObject({
      started_at: later,
      epoch: 1,
      feature_flag_snapshot: { key: "login_page" },
      allocations: [{ variation_snapshot: { key: "control" } }, {}],
    });
    first(file).status = "completed";
    const completed = imported(file, { current: active, at: "2025-03-01T00:00:00.000Z" });
    expect(completed.experiments[0]).toMatchObject({ started_at: later, ended_at: "2025-03-01T00:00:00.000Z" });
  });

  it("pauses and edits, or edits and activates, at once", () => {
    const paused = edited("experiments", 0, { status: "paused", allocations: lopsided });
    expect(faults(paused, { current: tenant })).toEqual([]);
    const resumed = edited("experiments", 0, { status: "active", allocations: lopsided });
    expect(faults(resumed, { current: inState("paused").current })).toEqual([]);
  });
});

describe("what stands in an import's way", () => {
  const [flag] = base.feature_flags ?? [];
  const [control, welcoming] = flag?.variations ?? [];
  it.each<[string, ConfigurationFile | Entry, string[], Resources?]>([
    [
      "allocations of what stays active",
      edited("experiments", 0, { allocations: lopsided }),
      ["experiment_requires_pause experiments[0].allocations: Cannot modify allocations on an active experiment"],
    ],
    [
      "a state that may not follow",
      edited("experiments", 0, { status: "draft" }),
      [
        "invalid_status_transition experiments[0].status: Status transition is not allowed. It is active, and may become paused or completed.",
      ],
    ],
    [
      "what is over",
      edited("experiments", 0, { status: "active" }),
      [
        "experiment_completed experiments[0].status: Completed experiments cannot be reactivated. It is completed; create a new one.",
      ],
      inState("completed").current,
    ],
    [
      "what was fixed by activation",
      edited("experiments", 0, { status: "paused", levels: [5], authentication_flow: "mfa_challenge" }),
      [
        "authentication_flow_locked experiments[0].authentication_flow: Authentication flow cannot be modified once an experiment has been activated.",
        "levels_locked experiments[0].levels: Levels can only be modified on draft experiments.",
      ],
      inState("paused").current,
    ],
    [
      "a leap of the ramp",
      edited("experiments", 0, { status: "paused", levels: [5, 20, 50], current_level: 50 }),
      ["invalid_ramp_level experiments[0].current_level: the ramp is at 5, which goes to 20 next"],
      inState("paused", { levels: [5, 20, 50], current_level: 5 }).current,
    ],
    [
      "what others hold on to",
      edited("feature_flags", 0, { key: "other", variations: [{ ...control, key: "b" }, welcoming] }),
      [
        "invalid_body feature_flags[0].key: cannot be changed; make a new one, with another id",
        "invalid_body feature_flags[0].variations[0].key: cannot be changed; make a new one, with another id",
      ],
      imported({ ...base, experiments: [] }),
    ],
    [
      "a second active experiment",
      edited("experiments", 1, { status: "active" }),
      [
        'experiment_active_limit_exceeded experiments[1].status: only 1 may be active at a time; pause or complete "Warmer log-in page" first',
      ],
    ],
    [
      "a reference to nothing",
      edited("experiments", 0, { allocations: [{ variation_id: "welcomin", weight: 100, is_control: true }] }),
      ["invalid_body experiments[0].allocations[0].variation_id: no variation welcomin, only: control, welcoming"],
    ],
    [
      "an id of nothing",
      edited("feature_flags", 0, { deployments: ["dep_Gone"] }),
      ["unknown_deployment feature_flags[0].deployments[0]: there is no deployment dep_Gone"],
    ],
    [
      "two entries for one",
      { ...base, segments: [...(base.segments ?? []), ...(base.segments ?? [])] },
      ['duplicate_id segments[1]: "Mobile visitors": another entry is about seg_Mobi1eVisitors already'],
    ],
    [
      "what no longer fits its flag",
      edited("feature_flags", 0, { variations: [control, { ...welcoming, overrides: { headline: { value: 3 } } }] }),
      [
        "variation_override_type_mismatch feature_flags[0].variations[1].overrides.headline: must be of the parameter's type, string",
      ],
    ],
    [
      "an archived flag",
      edited("feature_flags", 1, { status: "archived", description: "Another one." }),
      ["feature_flag_archived feature_flags[1]: Feature flag is archived and cannot be modified."],
      imported(edited("feature_flags", 1, { status: "archived" })),
    ],
    [
      "what is the provider's",
      edited("segments", 0, { type: "auth0", description: "Another one." }),
      ["segment_read_only segments[0]: Segment cannot be modified."],
      imported(edited("segments", 0, { type: "auth0" })),
    ],
    [
      "a group that cannot be formed",
      {
        ...base,
        groups: [
          {
            type: "mutual_exclusion",
            name: "One each",
            slots: [
              { percentage: 60, feature_flag_ids: [] },
              { percentage: 60, feature_flag_ids: ["login_page", "login_page"] },
            ],
          },
        ],
      },
      [
        "group_invalid_slots groups[0].slots: the percentages of all slots must total at most 100, not 120",
        "group_duplicate_flag groups[0].slots[1].feature_flag_ids[1]: Login page (flg_LoginPage) is in the group already",
      ],
    ],
  ])("is %s", (_, file, expected, current = tenant) => {
    expect(faults(file, { current })).toEqual(expected);
  });

  it("is deleting what is in use, active, or the last", () => {
    expect(
      faults({ ...base, segments: [], experiments: base.experiments?.slice(1) }, { current: tenant, prune: true }),
    ).toEqual([
      'experiment_is_active : experiment "Warmer log-in page", which the file does not name: Active experiments cannot be deleted. Pause or complete the experiment first.',
      "segment_not_found experiments[0].allocations[0].segment_id: no segment seg_Mobi1eVisitors",
    ]);
    const bare = { feature_flags: [{ name: "Bare", status: "draft", variations: [{ name: "Only" }] }] };
    const emptied = { feature_flags: [{ name: "Bare", variations: [] }] };
    expect(faults(emptied, { current: imported(bare), prune: true })).toEqual([
      "last_variation feature_flags[0].variations: Feature flag must have at least one variation. Cannot delete the last variation.",
    ]);
  });

  it("calls what the file does not name by its name", () => {
    const file = { feature_flags: [{ ...flag, status: "archived" }] };
    expect(faults(file, { current: tenant })).toEqual([
      'feature_flag_not_active : experiment "Warmer log-in page".feature_flag_id: feature flag login_page is archived, not active',
    ]);
  });

  it("is not what was wrong before", () => {
    const broken: Resources = { ...tenant, segments: [] };
    expect(faults({ feature_flags: [flag] }, { current: broken })).toEqual([]);
    expect(plan(exportConfiguration(broken), { current: broken })).toEqual({ steps: [], problems: [] });
  });

  it("is the hundredth draft but one, not another flag's variation in a draft", () => {
    const draft = (place: number) => ({
      name: `Draft ${place}`,
      feature_flag_id: "login_page",
      allocations: [{ variation_id: "var_SignUpContro1", weight: 1 }],
    });
    const drafts = (count: number) => ({
      ...base,
      experiments: Array.from({ length: count }, (_, place) => draft(place)),
    });
    expect(faults(drafts(99), { current: tenant })).toEqual([]);
    expect(faults(drafts(100), { current: tenant })).toEqual([
      expect.stringMatching(/^experiment_draft_limit_exceeded experiments: /),
    ]);
  });

  it("is told a hundred times at most, and soon", () => {
    const many = { feature_flags: Array.from({ length: 300_000 }, () => 1), experiments: [] };
    const started = performance.now();
    expect(faults(many)).toHaveLength(100);
    const wide = { feature_flags: [{ name: "Wide", variations: Array.from({ length: 300_000 }, () => 1) }] };
    expect(faults(wide)).toEqual(["invalid_body feature_flags[0].variations[0]: must be an object, not 1"]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
