import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment, flag, share, variation } from "../../model/resources.ts";
import { clearStores, createStage, publish, type Visit } from "../stage.ts";
import { createJourney, page, warningsOf } from "./journey.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

/** What the gate adds to a request: the headers' lines, and what is longer in the address. */
function addedBytes({ seen }: Visit, path: string): number {
  const ours = [...seen.headers].filter(([name]) => /^x-(?:experiment|vestibule|forwarded)-/.test(name));
  const headers = ours.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  return headers + new URL(seen.url).href.length - new URL(path, "https://id.example.com").href.length;
}

const allNames = ["experiment_id", "variation_id", "segment_id", "control", "method", "config", "stamp"];
const query = Object.fromEntries(allNames.map((name) => [name, `ext-${name}`]));

/** Experiments with ids and texts of these lengths, the long texts on the treatment alone. */
function manyExperiments(count: number, idLength: number, textLength: number) {
  const id = (prefix: string, index: number) =>
    `${prefix}_${String(index).padStart(idLength - prefix.length - 1, "0")}`;
  const indexes = [...Array(count).keys()];
  return {
    feature_flags: indexes.map((index) =>
      flag({ id: id("flg", index), key: `flag-${index}`, parameters: { text: { type: "string", value: "x" } } }),
    ),
    variations: indexes.flatMap((index) => [
      variation(`a${index}`, { feature_flag_id: id("flg", index) }),
      variation(`b${index}`, {
        feature_flag_id: id("flg", index),
        overrides: { text: { value: "w".repeat(textLength) } },
      }),
    ]),
    experiments: indexes.map((index) =>
      experiment({
        id: id("exp", index),
        feature_flag_id: id("flg", index),
        allocations: [share(`a${index}`, 50, true), share(`b${index}`, 50)],
      }),
    ),
  };
}

describe("all that the gate adds to a request", () => {
  it.each([
    [1, 12, 1_024, {}],
    [3, 12, 1_024, {}],
    [8, 12, 100, {}],
    [12, 12, 20, { stamp: { query } }],
    [25, 12, 10, {}],
    [14, 100, 10, {}],
    [5, 60, 300, { stamp: { query }, sign_client_ip: true }],
    [40, 30, 1, { sign_client_ip: true }],
  ])("stays within 4 KiB: %i experiments, ids of %i, texts of %i, %o", async (count, idLength, textLength, tenant) => {
    const stage = createStage({ tenant });
    await publish(manyExperiments(count, idLength, textLength));
    const path = "/authorize?client_id=app&response_type=code&state=1";
    const sets = new Set<string>();
    for (let index = 0; index < 6; index++) {
      const headers = { "cf-connecting-ip": "2001:0db8:85a3:0000:0000:8a2e:0370:7334" };
      const visit = await createJourney(stage).go(path, page(), { headers });
      expect(addedBytes(visit, path)).toBeLessThanOrEqual(4_096);
      const configs =
        visit
          .stamp("config")
          ?.split(",")
          .map((each) => each !== "") ?? [];
      sets.add(JSON.stringify([visit.stamp("id"), configs]));
    }
    // What is left out is left out of each variation alike.
    expect(sets.size).toBe(1);
  });

  it("leaves the config out of control and treatment alike, and says so", async () => {
    const stage = createStage();
    const long = manyExperiments(1, 12, 900);
    const parameters = Object.fromEntries(
      ["one", "two", "three", "four"].map((name) => [name, { type: "string" as const, value: "x" }]),
    );
    const overrides = Object.fromEntries(Object.keys(parameters).map((name) => [name, { value: "w".repeat(900) }]));
    await publish({
      ...long,
      feature_flags: long.feature_flags.map((each) => ({ ...each, parameters })),
      variations: long.variations.map((each) => ({ ...each, overrides: each.id === "var_b0" ? overrides : {} })),
    });
    for (const id of ["var_a0", "var_b0"]) {
      const path = `/login?experiment_id=exp_00000000&variation_id=${id}`;
      const visit = await createJourney(stage).go(path);
      expect([visit.stamp("variation-id"), visit.stamp("config")]).toEqual([id, null]);
      expect(addedBytes(visit, path)).toBeLessThanOrEqual(4_096);
    }
    expect(warningsOf(stage)).toContain("experiment_stamp_too_large");
  });

  it("exposes nobody to an experiment that the origin does not learn of", async () => {
    const stage = createStage();
    await publish(manyExperiments(14, 100, 10));
    const { stamp } = await createJourney(stage).go("/login");
    const exposed = stage.queued.flatMap((message) =>
      message.kind === "event" && message.event.type === "exposure" ? (message.event.experiment_id ?? "") : [],
    );
    expect(exposed.sort()).toEqual(stamp("id")?.split(",").sort());
  });

  it("is nothing where the session's cookie would be too long for browsers: the login is forwarded", async () => {
    const stage = createStage();
    await publish(manyExperiments(25, 100, 10));
    const { response, stamp } = await createJourney(stage).go("/login");
    expect([response.status, stamp("id"), stamp("failed-open")]).toEqual([200, null, "error"]);
    expect(warningsOf(stage)).toEqual(["experiment_failed_open"]);
  });
});
