/** Why nobody gets the experiment, though people come. */
import type { Fault } from "../fault.ts";
import { half, rest } from "../fault.ts";
import { build, changeStatus, untilServed } from "../ground.ts";
import { untilCounted } from "../until-counted.ts";

const notActive: Fault = {
  name: "not_active",
  check: "experiment_active",
  says: "the experiment was paused and never activated again",
  least: 100,
  async run(scene) {
    const { ground, site } = scene;
    await scene.arrive("Visitors before the pause", half(scene));
    await changeStatus(ground, site, "paused");
    await scene.arrive("Visitors who get nothing any more", rest(scene));
    return undefined;
  },
};

const invalid: Fault = {
  name: "invalid",
  check: "experiment_valid",
  says: "a parameter that the treatment overrides is renamed under the running experiment",
  least: 100,
  async run(scene) {
    const { ground, site } = scene;
    await scene.arrive("Visitors before the change", half(scene));
    const parameters = { title: { type: "string", value: "Sign in" } };
    await ground.management.send("PATCH", `/feature-flags/${site.flagId}`, { parameters });
    await untilServed(ground, site);
    await scene.arrive("Visitors who get nothing any more", rest(scene));
    return undefined;
  },
};

const anotherActive: Fault = {
  name: "another_active",
  check: "another_active",
  says: "another experiment has the tenant's only place",
  least: 100,
  layout: () => ({ status: "draft" }),
  needsOwnStack: true,
  async run(scene) {
    await build(scene.ground, "Another experiment", "Another");
    await scene.arrive("Visitors, who get the other one", scene.visitors);
    return undefined;
  },
};

const flagNotActive: Fault = {
  name: "flag_not_active",
  check: "flag_active",
  says: "the feature flag is archived under the running experiment",
  least: 100,
  async run(scene) {
    const { ground, site } = scene;
    await scene.arrive("Visitors before it", half(scene));
    await ground.management.send("POST", `/feature-flags/${site.flagId}/status`, { status: "archived" });
    await untilServed(ground, site);
    await scene.arrive("Visitors who get nothing any more", rest(scene));
    return undefined;
  },
};

const segmentMatchesNobody: Fault = {
  name: "segment_matches_nobody",
  check: "segment_matching",
  says: "the segment asks for televisions, and people come with phones and computers",
  least: 120,
  layout: () => ({ segment: [{ match: { device_type: ["tv"] } }] }),
  async run(scene) {
    await scene.arrive("Visitors", scene.visitors);
    return undefined;
  },
};

const notEntitled: Fault = {
  name: "not_entitled",
  check: "entitled",
  says: "the tenant may not run experiments any more",
  least: 100,
  needsOwnStack: true,
  async run(scene) {
    await scene.arrive("Visitors before it", half(scene));
    await untilCounted(scene);
    await scene.ground.own?.restart({ entitled: false });
    // Keys are refused now, and with them apps.
    await scene.browse("Visitors who get nothing any more", scene.draw(Math.min(rest(scene), 100)));
    return undefined;
  },
};

const rampClosed: Fault = {
  name: "ramp_closed",
  check: "level_open",
  says: "the ramp is still at its first level, 0%",
  least: 100,
  layout: () => ({ levels: [0, 50, 100] }),
  async run(scene) {
    await scene.arrive("Visitors who get nothing", scene.visitors);
    return undefined;
  },
};

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
/** A token whose key would have to be fetched to tell. */
const signedByNobodyKnown = [
  encoded({ alg: "RS256", kid: "unknown", typ: "JWT" }),
  encoded({ iss: "https://issuer.example", sub: "somebody" }),
  Buffer.alloc(256, 1).toString("base64url"),
].join(".");

const circuitOpen: Fault = {
  name: "circuit_open",
  check: "circuit_closed",
  says: "the issuer's keys, which tell whose a token is, cannot be fetched: that circuit opens",
  least: 100,
  needsOwnStack: true,
  tenant: (provider) => ({
    user: { issuer: "https://issuer.example", jwks_uri: `${provider}/jwks`, token: "cookie:token" },
  }),
  async run(scene) {
    const cookies = { token: signedByNobodyKnown };
    await scene.browse("Visitors with a token", scene.draw(scene.visitors), { cookies });
    return undefined;
  },
};

const enabledNowhere: Fault = {
  name: "not_in_deployment",
  check: "deployment_enabled",
  says: "the flag is enabled neither at the gate nor in the deployments whose keys apps fetch with",
  least: 100,
  layout: () => ({ enabledIn: "nowhere" }),
  async run(scene) {
    await scene.fetch("Apps that get nothing", scene.draw(scene.visitors));
    return undefined;
  },
};

const usersNotVerifiable: Fault = {
  name: "users_not_verifiable",
  check: "users_verifiable",
  says: "the experiment assigns users, and the gate has no settings to verify them by, so that it is still a draft",
  least: 100,
  layout: () => ({ enabledIn: "gate", status: "draft", experiment: { assignment_config: { subject: "user" } } }),
  async run(scene) {
    await scene.browse("Visitors who get nothing", scene.draw(scene.visitors));
    return undefined;
  },
};

const flowWithoutPages: Fault = {
  name: "flow_without_pages",
  check: "flow_has_pages",
  says: "the experiment runs on second factors, and no rule says which pages those are",
  least: 100,
  layout: () => ({ enabledIn: "gate", experiment: { authentication_flow: "mfa_challenge" } }),
  async run(scene) {
    await scene.browse("Visitors who get nothing", scene.draw(scene.visitors));
    return undefined;
  },
};

const unsupportedEvents: Fault = {
  name: "unsupported_events",
  check: "supported_events",
  says: "log-ins end on a page that goes on by script, which the gate cannot tell from any other",
  least: 120,
  needsOwnStack: true,
  async run(scene) {
    scene.ground.own?.behave({ ends: "script" });
    const people = scene.draw(scene.visitors).map((person) => ({ ...person, does: "signs_in" as const }));
    await scene.browse("Visitors who sign in", people);
    return undefined;
  },
};

export const trafficFaults: readonly Fault[] = [
  notEntitled,
  notActive,
  invalid,
  anotherActive,
  flagNotActive,
  usersNotVerifiable,
  flowWithoutPages,
  rampClosed,
  segmentMatchesNobody,
  circuitOpen,
  enabledNowhere,
  unsupportedEvents,
];
