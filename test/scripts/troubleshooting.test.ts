/** The steps of the Experiment Center's troubleshooting guide, its curl commands as written there, against `npm start`. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVisitor } from "../../scripts/browserless/visitor.ts";
import { createManagement, type Management } from "../../scripts/management.ts";
import { type Running, run } from "./started.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
type Json = any;

/** Word for word; only what is in capitals is filled in, and where the tenant is. */
const guide = {
  fetchExperiment: `curl "https://YOUR_TENANT.us.auth0.com/api/v2/experimentation/experiments/exp_YOUR_ID" \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
  activate: `curl -X POST \\
  "https://YOUR_TENANT.us.auth0.com/api/v2/experimentation/experiments/exp_YOUR_ID/status" \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{ "status": "active" }'`,
  validate: `curl -X POST \\
  "https://YOUR_TENANT.us.auth0.com/api/v2/experimentation/experiments/exp_YOUR_ID/validate" \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
  listActive: `curl "https://YOUR_TENANT.us.auth0.com/api/v2/experimentation/experiments?status=active" \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
  fetchFlag: `curl "https://YOUR_TENANT.us.auth0.com/api/v2/experimentation/feature-flags/flg_YOUR_FLAG_ID" \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
  listVariations: `curl "https://YOUR_TENANT.us.auth0.com/api/v2/experimentation/feature-flags/flg_YOUR_FLAG_ID/variations" \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
};

const sample = { id: "exp_WarmerLogin", name: "Warmer log-in page", flag: "flg_LoginPage" };

let running: Running;
let gate: string;
let api: Management;
beforeAll(async () => {
  running = await run({
    TENANTS: JSON.stringify({
      default: { inject: "attributes" },
      unenrolled: { hosts: ["unenrolled.test"], entitled: false },
    }),
  });
  gate = `http://localhost:${running.port}`;
  api = createManagement({ url: gate, token: running.token, tenant: "default" });
});
afterAll(() => running.close());

/** Runs a command in a shell. */
async function curl(command: string, ids: { experiment?: string; flag?: string } = {}): Promise<Json> {
  const filled = command
    .replace("https://YOUR_TENANT.us.auth0.com", gate)
    .replace("YOUR_TOKEN", running.token)
    .replace("exp_YOUR_ID", ids.experiment ?? "")
    .replace("flg_YOUR_FLAG_ID", ids.flag ?? "");
  const { stdout } = await promisify(execFile)("bash", ["-c", `curl() { command curl -sS "$@"; }\n${filled}`]);
  return JSON.parse(stdout);
}

const post = (path: string, body?: unknown): Promise<Json> => api.send("POST", path, body);
const setStatus = (path: string, status: string) => post(`${path}/status`, { status });

let count = 0;

/** A new flag with two variations, a draft unless activated. */
async function makeFlag(status?: "active"): Promise<{ flag: string; control: string; treatment: string }> {
  count++;
  const parameters = { title: { type: "string", value: "Hello" } };
  const flag = (await post("/feature-flags", { name: `Flag ${count}`, parameters })).id;
  const path = `/feature-flags/${flag}/variations`;
  const control = (await post(path, { name: "Control", overrides: {} })).id;
  const treatment = (await post(path, { name: "Treatment", overrides: { title: { value: "Welcome" } } })).id;
  if (status) await setStatus(`/feature-flags/${flag}`, status);
  return { flag, control, treatment };
}

async function makeExperiment(flag: string, allocations: object[], changes: object = {}): Promise<string> {
  const made = await post("/experiments", {
    name: `Experiment ${++count}`,
    feature_flag_id: flag,
    authentication_flow: "authentication",
    allocation_strategy: "percentage",
    assignment_config: { subject: "device" },
    allocations,
    ...changes,
  });
  expect(made.status).toBe("draft");
  return made.id;
}

const halves = ({ control, treatment }: { control: string; treatment: string }) => [
  { variation_id: control, weight: 50, is_control: true },
  { variation_id: treatment, weight: 50, is_control: false },
];

/** Codes that `/validate` answers. */
async function codesOf(experiment: string): Promise<string[]> {
  const { is_valid, errors } = await curl(guide.validate, { experiment });
  expect(is_valid).toBe(errors.length === 0);
  for (const { message } of errors) expect(message).toMatch(/\w{3}/);
  return errors.map(({ code }: Json) => code);
}

describe("my experiment is not getting traffic", () => {
  it("check 1: a draft is told, and activated", async () => {
    const made = await makeFlag("active");
    const experiment = await makeExperiment(made.flag, halves(made));
    expect(await curl(guide.fetchExperiment, { experiment })).toMatchObject({ id: experiment, status: "draft" });
    await setStatus(`/experiments/${sample.id}`, "paused");
    expect(await curl(guide.activate, { experiment })).toMatchObject({ status: "active", is_valid: true });
    await setStatus(`/experiments/${experiment}`, "paused");
    expect(await curl(guide.fetchExperiment, { experiment })).toMatchObject({ status: "paused" });
    expect(await curl(guide.activate, { experiment })).toMatchObject({ status: "active" });
    await setStatus(`/experiments/${experiment}`, "completed");
    expect(await curl(guide.activate, { experiment: sample.id })).toMatchObject({ status: "active" });
  });

  it("check 2: is_valid follows what the experiment refers to", async () => {
    const { parameters } = await curl(guide.fetchFlag, { flag: sample.flag });
    const path = `/feature-flags/${sample.flag}`;
    const { headline: _, ...others } = parameters;
    await api.send("PATCH", path, { parameters: others });
    expect(await curl(guide.fetchExperiment, { experiment: sample.id })).toMatchObject({
      status: "active",
      is_valid: false,
    });
    expect(await codesOf(sample.id)).toEqual(["variation_unknown_parameter"]);
    await api.send("PATCH", path, { parameters });
    expect(await curl(guide.fetchExperiment, { experiment: sample.id })).toMatchObject({ is_valid: true });
    expect(await curl(guide.validate, { experiment: sample.id })).toEqual({ is_valid: true, errors: [] });
  });

  it("check 3: the one that is active is listed", async () => {
    const { experiments } = await curl(guide.listActive);
    expect(experiments).toEqual([expect.objectContaining({ id: sample.id, name: sample.name, status: "active" })]);
  });

  it("check 4: a variation can be forced, in a draft too", async () => {
    for (const [experiment, variation] of [
      [sample.id, "var_LoginWe1coming"],
      [sample.id, "var_LoginContro1"],
      ["exp_StepwiseSignUp", "var_SignUpStepwise"],
      ["exp_StepwiseSignUp", "var_SignUpContro1"],
    ]) {
      const query = `experiment_id=${experiment}&variation_id=${variation}`;
      const { body } = await createVisitor().get(`http://localhost:${running.port + 1}/login?${query}`);
      // A draft that is forced comes beside what is active.
      expect(body).toMatch(
        new RegExp(`<html[^>]* data-experiment-id="${experiment}[",].* data-variation-id="${variation}[",]`),
      );
    }
  });
});

describe("the validate endpoint returned errors", () => {
  it.each<[string, () => Promise<string>]>([
    [
      "feature_flag_not_active",
      async () => {
        const made = await makeFlag();
        return makeExperiment(made.flag, halves(made));
      },
    ],
    [
      "experiment_missing_control",
      async () => {
        const made = await makeFlag("active");
        return makeExperiment(
          made.flag,
          halves(made).map((allocation) => ({ ...allocation, is_control: false })),
        );
      },
    ],
    [
      "experiment_missing_control",
      async () => {
        const made = await makeFlag("active");
        return makeExperiment(
          made.flag,
          halves(made).map((allocation) => ({ ...allocation, is_control: true })),
        );
      },
    ],
    [
      "experiment_invalid_allocation_weights",
      async () => {
        const made = await makeFlag("active");
        return makeExperiment(
          made.flag,
          halves(made).map((allocation) => ({ ...allocation, weight: 40 })),
        );
      },
    ],
    [
      "experiment_missing_default",
      async () => {
        const made = await makeFlag("active");
        const allocations = [
          { variation_id: made.control, is_control: true, segment_id: "seg_Mobi1eVisitors", priority: 1 },
        ];
        return makeExperiment(made.flag, allocations, { allocation_strategy: "segment" });
      },
    ],
    [
      "variation_not_from_flag",
      async () => {
        const made = await makeFlag("active");
        return makeExperiment(made.flag, halves({ ...made, treatment: "var_SignUpStepwise" }));
      },
    ],
  ])("%s", async (code, make) => {
    expect(await codesOf(await make())).toEqual([code, "experiment_active_limit_exceeded"].sort(byOrder(code)));
  });

  /** The limit is told beside each: the sample is active. */
  function byOrder(code: string): (a: string, b: string) => number {
    return (a, b) => Number(b === code) - Number(a === code);
  }

  it("experiment_active_limit_exceeded, and nothing once the other is paused", async () => {
    const made = await makeFlag("active");
    const experiment = await makeExperiment(made.flag, halves(made));
    expect(await codesOf(experiment)).toEqual(["experiment_active_limit_exceeded"]);
    await setStatus(`/experiments/${sample.id}`, "paused");
    expect(await codesOf(experiment)).toEqual([]);
    await setStatus(`/experiments/${sample.id}`, "active");
  });
});

describe("my experiment will not activate", () => {
  it("answers one composed message, and validate the list, step by step until nothing is left", async () => {
    const made = await makeFlag();
    const experiment = await makeExperiment(made.flag, [{ variation_id: made.control, weight: 30, is_control: false }]);
    const { errors } = await curl(guide.validate, { experiment });
    const codes = [
      "feature_flag_not_active",
      "experiment_missing_control",
      "experiment_invalid_allocation_weights",
      "experiment_active_limit_exceeded",
    ];
    expect(errors.map(({ code }: Json) => code)).toEqual(codes);
    const refused = await curl(guide.activate, { experiment });
    expect(refused).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message: expect.stringMatching(/^Experiment cannot be activated: validation failed\. /),
      errorCode: "experiment_validation_failed",
    });
    for (const code of codes) expect(refused.message).toContain(code);

    expect(await curl(guide.fetchFlag, { flag: made.flag })).toMatchObject({ status: "draft" });
    expect((await curl(guide.listVariations, { flag: made.flag })).variations).toHaveLength(2);
    await setStatus(`/feature-flags/${made.flag}`, "active");
    await api.send("PATCH", `/experiments/${experiment}`, { allocations: halves(made) });
    const [active] = (await curl(guide.listActive)).experiments;
    await setStatus(`/experiments/${active.id}`, "paused");
    expect(await curl(guide.activate, { experiment })).toMatchObject({ status: "active" });
    await setStatus(`/experiments/${experiment}`, "completed");
    await setStatus(`/experiments/${active.id}`, "active");
  });

  it("needs two variations to activate a flag, and a new flag where it is archived", async () => {
    const parameters = { title: { type: "string", value: "Hello" } };
    const { id } = await post("/feature-flags", { name: "Lonely", parameters });
    await post(`/feature-flags/${id}/variations`, { name: "Control", overrides: {} });
    expect((await curl(guide.listVariations, { flag: id })).variations).toHaveLength(1);
    await expect(setStatus(`/feature-flags/${id}`, "active")).rejects.toThrow("at least 2 variations");
    await setStatus(`/feature-flags/${id}`, "archived");
    expect(await curl(guide.fetchFlag, { flag: id })).toMatchObject({ status: "archived" });
    await expect(setStatus(`/feature-flags/${id}`, "active")).rejects.toThrow("create a new flag");
  });
});

describe("exact answers", () => {
  it("a 403 with errorCode feature_not_entitled", async () => {
    const command = `${guide.listActive} -H "X-Vestibule-Tenant: unenrolled"`;
    expect(await curl(command)).toEqual({
      statusCode: 403,
      error: "Forbidden",
      message: "Experiment Center is not enabled for this tenant",
      errorCode: "feature_not_entitled",
    });
  });

  it("a 400 for the allocations of an active experiment, until it is paused", async () => {
    const weigh = (control: number) =>
      `curl -X PATCH "https://YOUR_TENANT.us.auth0.com/api/v2/experimentation/experiments/exp_YOUR_ID" \\
        -H "Authorization: Bearer YOUR_TOKEN" -H "Content-Type: application/json" -d '${JSON.stringify({
          allocations: [
            { variation_id: "var_LoginContro1", weight: control, is_control: true },
            { variation_id: "var_LoginWe1coming", weight: 100 - control, is_control: false },
          ],
        })}'`;
    const experiment = sample.id;
    expect(await curl(weigh(20), { experiment })).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message: "Cannot modify allocations on an active experiment",
      errorCode: "experiment_requires_pause",
    });
    const pause = guide.activate.replace("active", "paused");
    expect(await curl(pause, { experiment })).toMatchObject({ status: "paused", epoch: 1 });
    expect(await curl(weigh(20), { experiment })).toMatchObject({ allocations: [{ weight: 20 }, { weight: 80 }] });
    expect(await curl(guide.activate, { experiment })).toMatchObject({ status: "active", epoch: 2, is_valid: true });
  });
});
