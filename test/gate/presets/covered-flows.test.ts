import { expect, it } from "vitest";
import { coveredFlows } from "../../../src/gate/presets/covered-flows.ts";
import { presets } from "../../../src/gate/presets/presets.ts";
import { type ProviderName, providerName } from "../../../src/model/provider.ts";
import { tenantOf } from "../tenant.ts";

const flowsOf = (options: Record<string, unknown>) => coveredFlows(tenantOf(options));

it.each(providerName.options)(
  "%s covers authentication and the flows that its pages name",
  (provider: ProviderName) => {
    const covered = flowsOf({ provider });
    expect(covered).toContain("authentication");
    expect(new Set(covered)).toEqual(new Set(["authentication", ...presets[provider].pages.map(({ flow }) => flow)]));
  },
);

it("adds the flows of the tenant's own pages, in the order of all flows", () => {
  const pages = [
    { path: "/verify-email", flow: "email_verification" },
    { path: "/reset", flow: "password_reset" },
  ];
  expect(flowsOf({ provider: "oidc" })).toEqual(["authentication"]);
  expect(flowsOf({ provider: "oidc", pages })).toEqual(["authentication", "password_reset", "email_verification"]);
});

it("keeps authentication for a tenant that lists its pages or authorization addresses", () => {
  expect(flowsOf({ provider: "oidc", paths: ["/sign-in"] })).toEqual(["authentication"]);
  expect(flowsOf({ provider: "oidc", authorize_paths: ["/authorize"] })).toEqual(["authentication"]);
});
