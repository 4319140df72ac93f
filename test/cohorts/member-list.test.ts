import { expect, it } from "vitest";
import { startMs } from "../alarms/held-object.ts";
import { answering, cohort, minuteMs, pushed, range, withStage } from "./stage.ts";

it("all members are listed as Amplitude's cohort JSON, members last", () =>
  withStage(async (stage) => {
    const odd = ['"quoted"', "back\\slash", "ünïcødé 😀", "a,b", "\u0000"];
    stage.sources.set("beta", answering([...odd, ...range(0, 5_000)]));
    stage.sync(cohort("beta"), pushed("never"));
    await stage.pass(10_000);
    const list = stage.keeper.list("coh_beta");
    expect(list).toMatchObject({ size: 5_005, lastModified: expect.any(Number) });
    const text = await new Response(list?.body).text();
    const { memberIds, ...rest } = JSON.parse(text);
    const lastModified = list?.lastModified ?? 0;
    expect(lastModified - startMs).toBeLessThan(1_000);
    expect(rest).toEqual({
      cohortId: "coh_beta",
      groupType: "User",
      groupTypeId: 0,
      lastComputed: lastModified,
      lastModified,
      size: 5_005,
    });
    expect([...memberIds].sort()).toEqual([...odd, ...range(0, 5_000)].sort());
    expect(text.endsWith("]}")).toBe(true);
    expect(stage.keeper.list("coh_none")).toBeNull();
    expect(stage.keeper.list("coh_never")).toBeNull();

    // What has not changed has not been modified.
    await stage.pass(61 * minuteMs);
    expect(stage.keeper.list("coh_beta")?.lastModified).toBe(lastModified);
    stage.sources.set("beta", () => new Response("[]"));
    stage.sync(cohort("beta", { source: { type: "url", url: "https://data.example.com/beta", format: "json" } }));
    await stage.pass(10_000);
    const empty = stage.keeper.list("coh_beta");
    expect(await new Response(empty?.body).json()).toMatchObject({ size: 0, memberIds: [] });
    expect(empty?.lastModified).toBeGreaterThan(lastModified);
  }));

it("a list breaks off rather than mix members of two times", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(range(0, 5_000)));
    stage.sync(cohort("beta"));
    await stage.pass(10_000);
    const reader = stage.keeper.list("coh_beta")?.body.getReader();
    expect((await reader?.read())?.done).toBe(false);
    stage.sources.set("beta", answering(range(100, 5_100)));
    void stage.keeper.refresh("coh_beta");
    await stage.pass(10_000);
    const readOn = async () => {
      while ((await reader?.read())?.done === false);
    };
    await expect(readOn()).rejects.toThrow("changed");
  }));
