/** Whatever is asked of the management API, in whatever order: it does what a small reference says, and stays sound. */
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";
import { conforming } from "../conformance.ts";
import { verifiedUsers } from "../experiment-stage.ts";
import { audit } from "../sequences/audit.ts";
import { type Step, type StepKind, steps } from "../sequences/steps.ts";
import { emptyWorld, isValid, type World } from "../sequences/world.ts";

/** How often each is asked, beside the others. */
const frequencies: Readonly<Record<StepKind, number>> = {
  create_flag: 2,
  patch_flag: 3,
  flag_status: 4,
  delete_flag: 1,
  create_variation: 4,
  patch_variation: 2,
  delete_variation: 3,
  create_segment: 2,
  delete_segment: 1,
  create_experiment: 5,
  patch_experiment: 7,
  experiment_status: 9,
  delete_experiment: 1,
  advance_ramp: 3,
  create_group: 2,
  delete_group: 1,
};

const numbers = { at: fc.nat(999), by: fc.nat(999), how: fc.nat(999) };
/** Null: nothing is asked, which is what a step shrinks to. */
const anyStep: fc.Arbitrary<Step | null> = fc.oneof(
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.constant(null) },
  ...Object.entries(frequencies).map(([kind, weight]) => ({
    weight,
    arbitrary: fc.record({ kind: fc.constant(kind as StepKind), ...numbers }),
  })),
);

/** So that every sequence has something to go on with. */
const beginning: Step[] = [
  { kind: "create_flag", at: 1, by: 0, how: 0 },
  { kind: "create_variation", at: 1, by: 0, how: 0 },
  { kind: "create_variation", at: 1, by: 1, how: 1 },
  { kind: "flag_status", at: 1, by: 0, how: 0 },
  { kind: "create_experiment", at: 1, by: 0, how: 10 },
  { kind: "create_flag", at: 1, by: 1, how: 0 },
  { kind: "create_variation", at: 1, by: 0, how: 0 },
  { kind: "create_variation", at: 1, by: 1, how: 1 },
  { kind: "flag_status", at: 1, by: 0, how: 0 },
  { kind: "create_experiment", at: 1, by: 1, how: 1 },
];

/** What sequences must have come to, or they show little. */
const telling = [
  "advance_ramp 200",
  "create_group invalid_group",
  "delete_flag feature_flag_in_use",
  "delete_variation variation_in_use",
  "experiment_status 200",
  "experiment_status experiment_active_limit_exceeded",
  "experiment_status experiment_validation_failed",
  "patch_experiment 200",
  "patch_experiment experiment_requires_pause",
];

/** One step, and whether what came of it is what the reference says. */
async function take(client: Client, world: World, { kind, ...numbers }: Step): Promise<string> {
  const { method, path, body, refusal, apply } = steps[kind](world, numbers);
  const isActivation = kind === "experiment_status" && (body as { status: string }).status === "active";
  const validation = isActivation ? await client.send("POST", path.replace(/status$/, "validate")) : undefined;
  const answer = await client.send(method, path, body);
  const said = `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`;
  if (refusal === "invalid") {
    expect(answer.status, said).toBe(400);
    const { errors } = validation?.body ?? {};
    expect(errors, said).not.toEqual([]);
    for (const { code } of errors) expect(answer.body.message).toContain(code);
  } else {
    expect(answer.body?.errorCode, said).toBe(refusal);
  }
  if (answer.status < 300) {
    if (isActivation) expect(validation?.body, said).toMatchObject({ is_valid: true, errors: [] });
    apply?.(answer.body);
    const experiment = world.experiments.find(({ id }) => id === answer.body?.id);
    if (experiment !== undefined) expect(answer.body.is_valid, said).toBe(isValid(world, experiment));
  }
  return `${kind} ${answer.body?.errorCode ?? answer.status}`;
}

it("any sequence", { timeout: 180_000 }, async () => {
  const played: { client: Client; version: number }[] = [];
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 28, maxLength: 28 }), async (rest) => {
      const client = conforming(createClient({ tenant: { user: verifiedUsers }, vars: { MANAGEMENT_RATE: "100000" } }));
      const world = emptyWorld();
      let version = 0;
      for (const [place, step] of [...beginning, ...rest].entries()) {
        if (step === null) continue;
        outcomes.add(await take(client, world, step));
        if (place !== 20) continue;
        const now = await audit(client, world);
        expect(now).toBeGreaterThanOrEqual(version);
        version = now;
      }
      version = await audit(client, world);
      const again = await client.post("/import?dry_run=true", await client.get("/export"));
      expect([again.changes, again.problems], "an export is imported").toEqual([[], []]);
      played.push({ client, version });
    }),
    {
      numRuns: 100,
      reporter({ failed, seed, counterexamplePath, counterexample, errorInstance }) {
        console.log(`seed ${seed}`);
        if (!failed) return;
        const [steps = []] = counterexample ?? [];
        const told = steps.filter((step) => step !== null).map((step) => JSON.stringify(step));
        throw new Error(`seed ${seed}, path ${counterexamplePath}: ${errorInstance}\n${told.join("\n")}`);
      },
    },
  );

  expect([...outcomes]).toEqual(expect.arrayContaining(telling));

  for (const { client, version } of played) {
    await vi.waitFor(async () => expect((await client.published()).version).toBe(version), { timeout: 5_000 });
    const { snapshot, pending } = await client.get("/snapshot");
    expect(pending).toBeNull();
    expect(await client.published()).toEqual(snapshot);
  }
});
