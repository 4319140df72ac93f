import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManagement } from "../../scripts/management.ts";
import { root } from "../../scripts/paths.ts";
import type { Fault } from "../../scripts/simulation/fault.ts";
import { faults } from "../../scripts/simulation/faults.ts";
import { verdictOf } from "../../scripts/simulation/print.ts";
import { silent } from "../../scripts/simulation/progress.ts";
import { type Simulated, simulate } from "../../scripts/simulation/run.ts";
import { type SimulationStack, startSimulationStack } from "../../scripts/simulation/stack.ts";
import { run } from "./started.ts";

const sample = "exp_WarmerLogin";
const seed = 7;
/** Five go on at a time: on a slow machine each takes its while. */
const limitMs = 180_000;
let stack: SimulationStack;
beforeAll(async () => {
  stack = await startSimulationStack({ seed, faults });
});
afterAll(() => stack.close());

const runFault = (fault: Fault): Promise<Simulated> =>
  simulate(fault, stack.ground(fault.name), {
    visitors: fault.least,
    seed,
    sideBySide: 20,
    signal: AbortSignal.timeout(limitMs),
    progress: silent,
  });

/** The stack is started anew: nobody else may be there. */
const isAlone = ({ name }: Fault) => name === "not_entitled";

async function expectNamed(fault: Fault): Promise<void> {
  const { isNamed, others, diagnosis, assigned, counted } = await runFault(fault);
  const failing = others.map(({ id, detail }) => `${id}: ${detail}`);
  expect({ isNamed, failing }, verdictOf({ fault, isNamed, others, diagnosis })).toEqual({
    isNamed: true,
    failing: [],
  });
  expect(counted).toBeGreaterThanOrEqual(assigned);
}

describe("of a simulated experiment with exactly one fault the diagnosis names it first, and nothing else fails", () => {
  it.concurrent.each(faults.filter((fault) => !isAlone(fault)).map((fault) => [fault.name, fault] as const))(
    "%s",
    (_, fault) => expectNamed(fault),
    limitMs,
  );
});

describe("likewise", () => {
  it.each(faults.filter(isAlone).map((fault) => [fault.name, fault] as const))("%s", (_, fault) => expectNamed(fault));
});

describe("as a command", () => {
  const command = (...args: string[]) =>
    new Promise<{ code: unknown; output: string; errors: string }>((resolve) => {
      execFile(process.execPath, [join(root, "scripts", "simulate.ts"), ...args], (error, output, errors) =>
        resolve({ code: error === null ? 0 : error.code, output, errors }),
      );
    });

  it("prints the diagnosis of a stack of its own, and ends with 0 where that names the fault", async () => {
    const { code, output, errors } = await command("--fault", "not_in_deployment", "--visitors", "100");
    expect(errors).toContain("Apps that get nothing: 100/100");
    expect(output).toContain("Leading cause: The flag is enabled at the gate or in a deployment (deployment_enabled)");
    expect(output).toContain("What to do: PATCH /feature-flags/{id}");
    expect(output.trimEnd().split("\n").at(-1)).toBe(
      "The diagnosis names deployment_enabled first, and nothing else fails.",
    );
    expect(code).toBe(0);
  });

  it("visits an npm start, and leaves active there what was active", async () => {
    const running = await run();
    try {
      const visit = ["--url", `http://localhost:${running.port}`, `--token=${running.token}`];
      const wanted = ["--fault", "ramp_closed", "--visitors", "100", ...visit];
      const refused = await command(...wanted);
      expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining(`"Warmer log-in page" (${sample})`) });
      const { code, output, errors } = await command(...wanted, "--pause-others");
      expect(output, errors).toContain("The diagnosis names level_open first, and nothing else fails.");
      expect(code).toBe(0);
      const { send } = createManagement({ url: `http://localhost:${running.port}`, token: running.token });
      const { experiments } = await send("GET", "/experiments?status=active");
      expect(experiments).toMatchObject([{ id: sample }]);
    } finally {
      await running.close();
    }
  });

  it("lists every fault, and what cannot be brought about", async () => {
    const { code, output } = await command("--list");
    expect(code).toBe(0);
    for (const { name, says } of faults) expect(output).toMatch(new RegExp(`^${name} +.*${says.slice(0, 20)}`, "m"));
    expect(output).toContain("variation_off");
  });

  it.each([
    ["an unknown fault", ["--fault", "gremlins"], "--fault: one of none, "],
    ["too few visitors to see it", ["--fault", "none", "--visitors", "10"], "--visitors: a whole number from 200"],
    [
      "what a Vestibule that runs cannot be made to do",
      ["--fault", "missing_exposure", "--url", "http://localhost:1"],
      "--url: missing_exposure can only",
    ],
  ])("refuses %s", async (_, args, words) => {
    const { code, errors } = await command(...args);
    expect(errors).toContain(words);
    expect(code).toBe(2);
  });
});
