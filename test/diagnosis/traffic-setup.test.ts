/** Each cause of no traffic and of a wrong set-up by itself: it is named first, and alone fails. */
import { describe, expect, it, test } from "vitest";
import type { CheckResult } from "../../src/diagnosis/check.ts";
import { type Diagnosis, diagnose } from "../../src/diagnosis/diagnose.ts";
import type { Evidence } from "../../src/diagnosis/scene.ts";
import { setupChecks } from "../../src/diagnosis/setup/checks.ts";
import { trafficChecks } from "../../src/diagnosis/traffic/checks.ts";
import { defaultThresholds } from "../../src/model/diagnosis-thresholds.ts";
import type { AuthenticationFlow } from "../../src/model/flow.ts";
import { type LedgerCounts, noCounts } from "../../src/model/ledger-counts.ts";
import { evidenceOf, healthyWorld, iso, nowMs, variationId } from "./world.ts";

const minuteMs = 60_000;
const healthy = evidenceOf(healthyWorld({ visitors: 4_000 }));

type Change = (evidence: Evidence) => Evidence;
const recorded =
  (changes: Partial<Evidence["record"]>): Change =>
  (evidence) => ({ ...evidence, record: { ...evidence.record, ...changes } });
const counting =
  (changes: (counts: LedgerCounts) => Partial<LedgerCounts>): Change =>
  (evidence) => {
    const counts = evidence.counts ?? noCounts;
    return { ...evidence, counts: { ...counts, ...changes(counts) } };
  };
const inState =
  (status: "draft" | "paused" | "completed", changes: object = {}): Change =>
  (evidence) =>
    recorded({ experiment: { ...evidence.record.experiment, status, ...changes } })(evidence);
const cellsWith = (change: (cell: LedgerCounts["cells"][number]) => object): Change =>
  counting(({ cells }) => ({ cells: cells.map((cell) => ({ ...cell, ...change(cell) })) }));

const enabledIn =
  (...deployments: string[]): Change =>
  (evidence) =>
    recorded({ flag: evidence.record.flag && { ...evidence.record.flag, deployments } })(evidence);
const configured =
  (changes: Partial<Evidence["record"]["experiment"]>): Change =>
  (evidence) =>
    recorded({ experiment: { ...evidence.record.experiment, ...changes } })(evidence);
const onUsers: Change = (evidence) => ({
  ...configured({ assignment_config: { subject: "user" } })(evidence),
  counts: noCounts,
});
const inFlow = (flow: AuthenticationFlow) => configured({ authentication_flow: flow });
const inLog =
  (day: Record<string, number>): Change =>
  (evidence) => ({ ...evidence, log: { ...(evidence.log as NonNullable<Evidence["log"]>), day } });

/** As an experiment on segments, to which so many were assigned by its one segment. */
const bySegment =
  (matched: number): Change =>
  (evidence) => {
    const { record } = evidence;
    const attributes = (evidence.counts ?? noCounts).attributes.filter(({ name }) => name !== "segment");
    const cell = { name: "segment", epoch: 1, variation_id: variationId(0), exposed: 0 };
    return {
      ...counting(() => ({
        attributes: [
          ...attributes,
          { ...cell, value: "(none)", assigned: 2000 - matched },
          { ...cell, value: "seg_1", assigned: matched },
        ],
      }))(evidence),
      record: {
        ...record,
        experiment: { ...record.experiment, allocation_strategy: "segment" },
        epochs: record.epochs.map((each) => ({ ...each, shares: null })),
        segments: [{ id: "seg_1", name: "Phones" }],
      },
    };
  };

const faults: Record<string, Change> = {
  entitled: recorded({ is_entitled: false }),
  experiment_active: inState("paused"),
  experiment_valid: recorded({ errors: [{ code: "experiment_missing_control", message: "exactly one" }] }),
  another_active(evidence) {
    const message = 'only 1 may be active at a time; pause or complete "Other" first';
    return recorded({
      others_active: [{ id: "exp_2", name: "Other" }],
      errors: [{ code: "experiment_active_limit_exceeded", message }],
    })(inState("paused")(evidence));
  },
  flag_active(evidence) {
    return recorded({
      flag: { id: "flg_1", name: "Login page", key: "login-page", status: "archived", deployments: ["gate", "dep_1"] },
      errors: [{ code: "feature_flag_not_active", message: "feature flag login-page is archived, not active" }],
    })(evidence);
  },
  users_verifiable: (evidence) => {
    const errors = [{ code: "experiment_user_not_verifiable", message: "the gate cannot verify users" }];
    return recorded({ errors })(enabledIn("gate")(onUsers(evidence)));
  },
  flow_has_pages: (evidence) => enabledIn("gate")(inFlow("mfa_challenge")(evidence)),
  level_open: (evidence) =>
    recorded({ experiment: { ...evidence.record.experiment, levels: [0, 50], current_level: 0 } })(evidence),
  published: recorded({ pending: { since: iso(nowMs - 5 * minuteMs), last_error: "KV put failed" } }),
  segment_matching: bySegment(0),
  circuit_closed: (evidence) => ({
    ...evidence,
    log: { ...(evidence.log as NonNullable<Evidence["log"]>), lately: { experiment_circuit_open: 2 } },
  }),
  deployment_enabled: (evidence) => ({ ...enabledIn()(evidence), counts: noCounts }),
  supported_events: cellsWith(() => ({ finished: 0, finished_unexposed: 0, logins: 0, signups: 0, failures: 0 })),

  ids_aligned: counting(() => ({
    kinds: [
      { type: "assignment", subject_kind: "device", units: 4000 },
      { type: "exposure", subject_kind: "device", units: 3000 },
      { type: "exposure", subject_kind: "user", units: 800 },
    ],
  })),
  variation_off: ({ record, ...evidence }) => ({
    ...evidence,
    record: {
      ...record,
      variations: record.variations.map((variation, index) =>
        index === 0 ? { ...variation, name: "Off" } : variation,
      ),
    },
  }),
  distinct_events: cellsWith(({ exposed }) => ({ exposed_custom: exposed, at_once: exposed })),
  attributes_present: counting(() => ({ missing: [{ property: "plan", platform: "ios", units: 1200 }] })),
  cohort_age: (evidence) => ({
    ...evidence,
    cohorts: { coh_1: { refreshed_at: iso(nowMs - 25 * 60 * minuteMs), error: "503", failures: 30 } },
  }),
  server_side_assignment: counting(({ attributes }) => ({
    attributes: attributes.map((cell) =>
      cell.name === "deployment" && cell.value === "dep_1" ? { ...cell, exposed: 3 } : cell,
    ),
  })),
  silent_units: cellsWith(({ settled, exposed }) => ({
    silent: Math.floor(settled * 0.6),
    settled_exposed: Math.floor(settled * 0.35),
    exposed: Math.floor(exposed * 0.37),
  })),
};

const checksOf = ({ traffic, setup, srm }: Diagnosis): CheckResult[] => [...traffic, ...setup, ...srm];
const failing = (diagnosis: Diagnosis) =>
  checksOf(diagnosis).flatMap(({ id, status }) => (status === "fail" ? id : []));
const diagnosed = (change: Change) => diagnose(change(healthy), defaultThresholds);
const statusOf = (id: string, change: Change) => checksOf(diagnosed(change)).find((check) => check.id === id)?.status;

describe.each(Object.keys(faults))("%s", (id) => {
  const diagnosis = diagnosed(faults[id] as Change);

  it("is named first, and alone fails", () => {
    expect(failing(diagnosis)).toEqual([id]);
    expect(diagnosis.leading).toBe(id);
  });

  it("says what is so and what to do", () => {
    const check = checksOf(diagnosis).find((each) => each.id === id) as CheckResult;
    expect(check.detail).toMatch(/\.$/);
    expect(check.fix).toMatch(/\.$/);
    expect(JSON.parse(JSON.stringify(check))).toEqual(check);
  });
});

/** What they find may have a cause that is none of the experiment's. */
const onlyWarn = ["device_cookie_kept"];

test("every check of traffic and set-up has its fault here", () => {
  const all = [...trafficChecks, ...setupChecks].map(({ id }) => id);
  expect(Object.keys(faults)).toEqual(all.filter((id) => !onlyWarn.includes(id)));
});

test("a device cookie that the origin deletes is a warning, with what to do", () => {
  const diagnosis = diagnosed(inLog({ device_cookie_cleared: 3 }));
  expect(failing(diagnosis)).toEqual([]);
  expect(diagnosis.setup.find(({ id }) => id === "device_cookie_kept")).toMatchObject({
    status: "warn",
    detail: expect.stringContaining("3 warnings"),
    evidence: { device_cookie_cleared: 3 },
    fix: expect.stringContaining("Clear-Site-Data"),
  });
});

test("an experiment that cannot be activated for lack of user settings fails by that alone", () => {
  const change: Change = (evidence) => (faults.users_verifiable as Change)(inState("draft")(evidence));
  expect(failing(diagnosed(change))).toEqual(["users_verifiable"]);
});

test("where nothing is wrong, nothing fails and there is nothing to do", () => {
  const diagnosis = diagnosed((evidence) => evidence);
  expect(failing(diagnosis)).toEqual([]);
  expect([...diagnosis.traffic, ...diagnosis.setup].filter(({ fix }) => fix !== "")).toEqual([]);
});

test.each([
  ["experiment_active", "not_applicable", inState("completed")],
  ["experiment_active", "fail", inState("draft")],
  ["segment_matching", "pass", bySegment(500)],
  ["segment_matching", "not_applicable", recorded({})],
  [
    "circuit_closed",
    "warn",
    (e: Evidence) => ({
      ...e,
      log: { ...(e.log as NonNullable<Evidence["log"]>), day: { experiment_circuit_open: 1 } },
    }),
  ],
  ["circuit_closed", "insufficient_data", (e: Evidence) => ({ ...e, log: null })],
  ["deployment_enabled", "pass", enabledIn("gate")],
  ["deployment_enabled", "pass", enabledIn("dep_1")],
  ["deployment_enabled", "fail", enabledIn("dep_gone")],
  ["deployment_enabled", "not_applicable", (e: Evidence) => enabledIn()(inState("completed")(e))],
  ["deployment_enabled", "not_applicable", recorded({ flag: null })],
  ["users_verifiable", "not_applicable", recorded({})],
  ["users_verifiable", "warn", onUsers],
  ["users_verifiable", "pass", (e: Evidence) => recorded({ verifies_users: true })(onUsers(e))],
  ["users_verifiable", "not_applicable", (e: Evidence) => enabledIn("dep_1")(onUsers(e))],
  ["users_verifiable", "not_applicable", (e: Evidence) => onUsers(inState("completed")(e))],
  ["flow_has_pages", "pass", recorded({})],
  ["flow_has_pages", "pass", inFlow("all")],
  ["flow_has_pages", "warn", inFlow("password_reset")],
  [
    "flow_has_pages",
    "pass",
    (e: Evidence) => recorded({ gate_flows: ["password_reset"] })(inFlow("password_reset")(e)),
  ],
  ["flow_has_pages", "not_applicable", (e: Evidence) => enabledIn("dep_1")(inFlow("password_reset")(e))],
  ["flow_has_pages", "not_applicable", (e: Evidence) => inFlow("password_reset")(inState("completed")(e))],
  ["device_cookie_kept", "pass", inLog({ experiment_circuit_open: 1 })],
  ["device_cookie_kept", "insufficient_data", (e: Evidence) => ({ ...e, log: null })],
  ["device_cookie_kept", "not_applicable", (e: Evidence) => onUsers(inLog({ device_cookie_cleared: 3 })(e))],
  ["supported_events", "pass", inFlow("all")],
  ["supported_events", "insufficient_data", (e: Evidence) => ({ ...e, counts: noCounts })],
  [
    "supported_events",
    "not_applicable",
    (e: Evidence) => inState("paused", { authentication_flow: "mfa_challenge" })(e),
  ],
  ["published", "pass", recorded({ pending: { since: iso(nowMs - minuteMs), last_error: null } })],
  ["cohort_age", "insufficient_data", (e: Evidence) => ({ ...e, cohorts: null })],
  ["cohort_age", "not_applicable", recorded({ cohorts: [] })],
  ["cohort_age", "fail", (e: Evidence) => ({ ...e, cohorts: {} })],
  [
    "cohort_age",
    "warn",
    (e: Evidence) => ({
      ...e,
      cohorts: { coh_1: { refreshed_at: iso(nowMs - 130 * minuteMs), error: null, failures: 3 } },
    }),
  ],
  ["attributes_present", "warn", counting(() => ({ missing: [{ property: "plan", platform: "ios", units: 120 }] }))],
  ["attributes_present", "not_applicable", recorded({ properties: [] })],
  ["silent_units", "warn", cellsWith(({ settled }) => ({ silent: Math.floor(settled * 0.3) }))],
  [
    "ids_aligned",
    "fail",
    counting(({ cells }) => ({
      unassigned: cells.map(({ variation_id }) => ({ variation_id, source: "ingest" as const, units: 150 })),
    })),
  ],
  ["distinct_events", "not_applicable", recorded({})],
] satisfies [string, string, Change][])("%s is %s", (id, status, change) => {
  expect(statusOf(id, change)).toBe(status);
});

test("a second fault that follows from another warns and names it", () => {
  const { traffic } = diagnosed(faults.another_active as Change);
  expect(traffic.find(({ id }) => id === "experiment_active")).toMatchObject({
    status: "warn",
    detail: expect.stringContaining('"No other experiment takes its place" accounts for it.'),
  });
});

test("thresholds are settings", () => {
  const strict = diagnose(healthy, { ...defaultThresholds, silent_fail_share: 0.01 });
  expect(strict.leading).toBe("silent_units");
  expect(strict.setup.find(({ id }) => id === "silent_units")?.threshold).toMatchObject({ silent_fail_share: 0.01 });
});
