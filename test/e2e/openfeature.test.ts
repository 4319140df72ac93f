/** OpenFeature's own OFREP providers, in the browser's SDK and the server's, told nothing but where Vestibule is. */
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature as ServerOpenFeature } from "@openfeature/server-sdk";
import { type Provider, OpenFeature as WebOpenFeature } from "@openfeature/web-sdk";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ConfigurationFile } from "../../src/model/transfer/configuration-schema.ts";
import { type House, startHouse } from "./amplitude/house.ts";

const variations = [{ name: "Plain" }, { name: "Bold", overrides: { title: { value: "Welcome back" } } }];
const parameters = {
  title: { type: "string" as const, value: "Sign in" },
  limit: { type: "number" as const, value: 3 },
  wide: { type: "boolean" as const, value: true },
};
const everywhere = { deployments: ["App", "Back end"], parameters, variations };
const configuration: ConfigurationFile = {
  deployments: [
    { name: "App", type: "client" },
    { name: "Back end", type: "server" },
  ],
  feature_flags: [
    { key: "split", name: "Split", ...everywhere },
    {
      key: "targeted",
      name: "Targeted",
      ...everywhere,
      rollout: {
        targeting: [
          {
            name: "Gold",
            conditions: [[{ selector: ["context", "user", "user_properties", "plan"], op: "is", values: ["gold"] }]],
            percentage: 100,
            weights: { bold: 1 },
          },
        ],
        all_users: { percentage: 100, weights: { plain: 1 } },
      },
    },
    { key: "nobody", name: "Nobody", ...everywhere, rollout: { all_users: { percentage: 0, weights: { plain: 1 } } } },
    { key: "disabled", name: "Disabled", status: "draft", ...everywhere },
    { key: "hidden", name: "Hidden", ...everywhere, deployments: [] },
  ],
  experiments: [
    {
      id: "exp_Sp1it",
      name: "Split",
      feature_flag_id: "split",
      status: "active",
      allocations: [
        { variation_id: "plain", weight: 50, is_control: true },
        { variation_id: "bold", weight: 50 },
      ],
    },
  ],
};

let house: House;
beforeAll(async () => {
  house = await startHouse(configuration);
});
afterAll(() => house.close());

describe("the web provider", () => {
  const client = WebOpenFeature.getClient();
  const begin = (context: Record<string, string>, headers: [string, string][]) => {
    const provider = new OFREPWebProvider({ baseUrl: house.url, headers, cacheMode: "disabled" });
    // Its types are not made for `exactOptionalPropertyTypes`.
    return WebOpenFeature.setContext(context).then(() => WebOpenFeature.setProviderAndWait(provider as Provider));
  };
  const bearer = (): [string, string][] => [["Authorization", `Bearer ${house.keys.App}`]];
  afterEach(() => WebOpenFeature.clearProviders());

  it("evaluates flags and their parameters, each of its type", async () => {
    await begin({ targetingKey: "somebody" }, bearer());
    const details = client.getObjectDetails("split", {});
    expect(details).toMatchObject({
      reason: "SPLIT",
      value: { title: details.variant === "bold" ? "Welcome back" : "Sign in", limit: 3, wide: true },
      flagMetadata: { experiment_id: "exp_Sp1it", control: details.variant === "plain", epoch: 1, method: "auto" },
    });
    expect(client.getStringValue("split.title", "default")).toBe((details.value as { title: string }).title);
    expect(client.getNumberValue("split.limit", 0)).toBe(3);
    expect(client.getBooleanDetails("targeted.wide", false)).toMatchObject({ value: true, variant: "plain" });
    await house.untilCounted("assignment:exp_Sp1it", 1);
    const response = await fetch(`${house.url}/_vestibule/v1/exposures`, {
      method: "POST",
      headers: [...bearer(), ["Content-Type", "application/json"]],
      body: JSON.stringify({ assignment_id: details.flagMetadata.assignment_id }),
    });
    expect(await response.json()).toMatchObject({ accepted: 1 });
    await house.untilCounted("exposure:exp_Sp1it", 1);
  });

  it.each([
    ["a flag that is disabled", "disabled.title", "DISABLED", undefined],
    ["a flag that nobody gets", "nobody.title", "STATIC", undefined],
    ["a flag that is not there", "missing", "ERROR", "FLAG_NOT_FOUND"],
    ["a flag of another deployment", "hidden.title", "ERROR", "FLAG_NOT_FOUND"],
  ])("gives the default for %s", async (_, key, reason, errorCode) => {
    await begin({ targetingKey: "somebody" }, bearer());
    const details = client.getStringDetails(key, "default");
    expect([details.value, details.reason, details.errorCode]).toEqual(["default", reason, errorCode]);
  });

  it("is told that nothing changed, and of what a change of the context changes", async () => {
    const context = { targetingKey: "somebody", plan: "silver" };
    await begin(context, [["X-API-Key", house.keys.App ?? ""]]);
    expect(client.getStringValue("targeted.title", "default")).toBe("Sign in");
    house.takeAsked();
    await WebOpenFeature.setContext({ ...context });
    expect(house.takeAsked().map(({ status }) => status)).toEqual([304]);
    expect(client.getStringValue("targeted.title", "default")).toBe("Sign in");
    await WebOpenFeature.setContext({ ...context, plan: "gold" });
    expect(house.takeAsked().map(({ status }) => status)).toEqual([200]);
    expect(client.getStringDetails("targeted.title", "default")).toMatchObject({
      value: "Welcome back",
      reason: "TARGETING_MATCH",
    });
    await WebOpenFeature.setContext({ ...context, plan: "tin" });
    expect(client.getStringValue("targeted.title", "default")).toBe("Sign in");
  });

  it("learns why it cannot begin", async () => {
    await expect(begin({}, bearer())).rejects.toThrow();
    await expect(begin({ targetingKey: "somebody" }, [["Authorization", "Bearer nobody"]])).rejects.toThrow();
    expect(client.getStringValue("split.title", "default")).toBe("default");
  });
});

describe("the server provider", () => {
  const begin = (key: string | undefined) => {
    const headers: [string, string][] = [["Authorization", `Bearer ${key}`]];
    return ServerOpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: house.url, headers }));
  };
  const client = ServerOpenFeature.getClient();
  afterAll(() => ServerOpenFeature.clearProviders());

  it("evaluates what the browser does", async () => {
    await begin(house.keys["Back end"]);
    const context = { targetingKey: "somebody", plan: "gold" };
    expect(await client.getStringDetails("targeted.title", "default", context)).toMatchObject({
      value: "Welcome back",
      variant: "bold",
      reason: "TARGETING_MATCH",
    });
    expect(await client.getBooleanValue("split.wide", false, context)).toBe(true);
    expect(await client.getNumberValue("split.limit", 0, context)).toBe(3);
    expect(await client.getObjectDetails("split", {}, context)).toMatchObject({
      reason: "SPLIT",
      flagMetadata: { experiment_id: "exp_Sp1it", assignment_id: expect.any(String) },
    });
  });

  it.each([
    ["a flag that is not there", "missing", { targetingKey: "k" }, "FLAG_NOT_FOUND"],
    ["no targeting key", "split.title", {}, "TARGETING_KEY_MISSING"],
    ["a targeting key that is none", "split.title", { targetingKey: 5 }, "INVALID_CONTEXT"],
    ["another type", "split.limit", { targetingKey: "k" }, "TYPE_MISMATCH"],
    // This provider knows no answer without a value yet, and gives the default for it all the same.
    ["a flag that is disabled", "disabled.title", { targetingKey: "k" }, "GENERAL"],
    ["a flag that nobody gets", "nobody.title", { targetingKey: "k" }, "GENERAL"],
  ])("gives the default for %s", async (_, key, context, errorCode) => {
    await begin(house.keys["Back end"]);
    const details = await client.getStringDetails(key, "default", context as never);
    expect([details.value, details.errorCode]).toEqual(["default", errorCode]);
  });

  it("gives the default to a key that nobody has, and while nothing can be read", async () => {
    await begin("nobody");
    const context = { targetingKey: "k" };
    expect(await client.getStringValue("split.title", "default", context)).toBe("default");
    await begin(house.keys["Back end"]);
    house.answerWith(503);
    expect(await client.getStringValue("split.title", "default", context)).toBe("default");
    house.answerWith(null);
    expect(await client.getStringValue("targeted.title", "default", context)).toBe("Sign in");
  });
});
