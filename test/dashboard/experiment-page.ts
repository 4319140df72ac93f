/** The page of an experiment, of whatever report and diagnosis a test gives it: support. */
import { createDashboard } from "../../src/dashboard/dashboard.ts";
import type { Diagnosis, Report } from "../../src/dashboard/evidence.ts";

export const hourMs = 3_600_000;
export const begin = Date.parse("2030-01-01T00:00:00Z");
const isoAt = (hour: number) => new Date(begin + hour * hourMs).toISOString();
export const hour = (at: number, variation_id: string, assigned: number, exposed = assigned) => ({
  hour: isoAt(at),
  variation_id,
  assigned,
  exposed,
});
export const epoch = (number: number, from: number, a: number) => ({
  epoch: number,
  from: isoAt(from),
  to: null,
  shares: { a, b: 1 - a },
});

export const rate = (
  value: number | null,
  difference: { estimate: number; low: number; high: number } | null = null,
) => ({
  rate: value,
  low: value === null ? null : value - 0.05,
  high: value === null ? null : value + 0.05,
  difference,
});
const result = (id: string, name: string, login: ReturnType<typeof rate>) => ({
  variation_id: id,
  name,
  is_control: id === "a",
  share: 0.5,
  assignments: 1_200,
  exposures: 1_100,
  logins: 600,
  signups: 5,
  failures: 9,
  pass_throughs: 7,
  rates: { exposure: rate(0.9), login, signup: rate(null), failure: rate(null) },
});
export const report: Report = {
  as_of: isoAt(3),
  partial: [],
  variations: [
    result("a", "Control", rate(0.5)),
    result("b", "Warm", rate(0.55, { estimate: 0.05, low: 0.01, high: 0.09 })),
  ],
  srm: {
    chi_square: { p: 0.5, log10_p: -0.3 },
    sequential: { p: 1, is_alert: false },
    deviation: 0.001,
    units: 2_400,
    verdict: "green",
  },
  jumping: { exposed: 0, jumped: 0, share: 0 },
  excluded: { forced: 3, included: 0, sticky: 0, unassigned: 0 },
  epochs: [epoch(1, 0, 0.5)],
  hours: [hour(0, "a", 600), hour(0, "b", 600), hour(1, "a", 600), hour(1, "b", 600)],
  detectable: [],
  warnings: ["Mind the <b>gap</b>."],
};
const check = (id: string, status: Diagnosis["srm"][number]["status"], fix = "") => ({
  id,
  status,
  title: `Title ${id}`,
  detail: `Detail ${id}.`,
  evidence: { units: 7 },
  threshold: {},
  fix,
});
const diagnosis: Diagnosis = {
  partial: [{ detail: "The log cannot be reached." }],
  leading: "cause",
  traffic: [check("fine", "pass"), check("watch", "warn", "Watch it.")],
  setup: [check("wrong", "fail", "Mend it."), check("early", "insufficient_data")],
  srm: [check("cause", "fail", "Begin here.")],
};

export interface Answers {
  report?: unknown;
  diagnosis?: unknown;
  experiment?: object;
  validation?: object;
}

/** The page of an experiment whose report and diagnosis are these. */
export async function showExperiment(answers: Answers): Promise<Response> {
  const experiment = {
    id: "exp_1",
    name: "Warmer",
    feature_flag_id: "flg_1",
    authentication_flow: "authentication",
    allocation_strategy: "percentage",
    assignment_config: { subject: "device" },
    status: "active",
    started_at: isoAt(0),
    updated_at: isoAt(0),
    epoch: 1,
    is_valid: true,
    editable_fields: [],
    allocations: [
      { variation_id: "a", weight: 50, is_control: true },
      { variation_id: "b", weight: 50, is_control: false },
    ],
    ...answers.experiment,
  };
  const bodies: [RegExp, unknown][] = [
    [/^\/caller/, { actor: "root", scopes: ["read:experimentation"], tenant: "default" }],
    [/\/report$/, answers.report ?? report],
    [/\/diagnosis$/, answers.diagnosis ?? diagnosis],
    [/\/validate$/, { is_valid: true, errors: [], ...answers.validation }],
    [/^\/experiments\/exp_1$/, experiment],
    [/\/variations$/, { variations: [] }],
    [/^\/feature-flags/, { id: "flg_1", name: "Flag" }],
    [
      /^\/changes/,
      {
        changes: [
          {
            at: isoAt(1),
            actor: "root",
            operation: "update_experiment",
            resource_type: "experiment",
            resource_id: "exp_1",
            before: {},
            after: {},
          },
        ],
      },
    ],
  ];
  const dashboard = createDashboard({
    cookieKeys: [{ kid: "k1", secret: new Uint8Array(32) }],
    tenants: [],
    now: () => begin + 4 * hourMs,
  });
  const call = async ({ path }: { path: string }) => {
    const body = bodies.find(([pattern]) => pattern.test(path))?.[1];
    const status = (body as { statusCode?: number } | undefined)?.statusCode ?? 200;
    return { status, text: JSON.stringify(body) };
  };
  const surroundings = {
    call,
    assets: undefined,
    ended: { has: async () => false, add: async () => {} },
    health: { circuits: {}, snapshots: {} },
  };
  const form = "token=x";
  const signedIn = await dashboard.fetch(
    new Request("https://a.example/_vestibule/sign-in", {
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded", "content-length": String(form.length) },
    }),
    surroundings,
  );
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
  return dashboard.fetch(
    new Request("https://a.example/_vestibule/experiments/exp_1", { headers: { cookie } }),
    surroundings,
  );
}
