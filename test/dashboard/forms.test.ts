/** Every form: what it makes, and what it says of what is wrong, beside the field and with what was written kept. */
import { beforeEach, describe, expect, it } from "vitest";
import { createClient } from "../api/client.ts";
import { createVisitor, type Shown, type Visitor } from "./visitor.ts";

let visitor: Visitor;
beforeEach(async () => {
  visitor = createVisitor();
  await visitor.signIn();
});

const at = (path: string) => `/_vestibule${path}`;

/** The fault that stands beside a control: what its `aria-describedby` leads to. */
function faultAt({ text }: Shown, control: string): string | undefined {
  const tags = [...text.matchAll(/<(?:input|select|textarea|fieldset)\b[^>]*>/g)].map(([tag]) => tag);
  const id = `f-${control.replace(/[^\w-]+/g, "-")}`;
  const tag = tags.find((one) => one.includes(`id="${id}"`));
  if (tag === undefined) throw new Error(`no control ${control}`);
  const described = /aria-describedby="([^"]*)"/.exec(tag)?.[1]?.split(" ") ?? [];
  if (!described.includes(`${id}-error`)) return undefined;
  expect(tag).toContain('aria-invalid="true"');
  return new RegExp(`id="${id}-error">([^<]*)<`).exec(text)?.[1];
}

/** All that the form would send again, had nobody touched it. */
async function fieldsOf(path: string): Promise<Record<string, string>> {
  const { text } = await visitor.look(path);
  const form = text.slice(text.indexOf('<form method="post" class="edit"'));
  const fields: Record<string, string> = {};
  const unescaped = (value: string) =>
    value
      .replaceAll("&quot;", '"')
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&");
  for (const [tag] of form.matchAll(/<input\b[^>]*>/g)) {
    const name = /\sname="([^"]*)"/.exec(tag)?.[1];
    const isOff = /type="(checkbox|radio)"/.test(tag) && !/\schecked=/.test(tag);
    if (name && !isOff) fields[name] = unescaped(/\svalue="([^"]*)"/.exec(tag)?.[1] ?? "on");
  }
  for (const [, name = "", value = ""] of form.matchAll(/<textarea\b[^>]*\sname="([^"]*)"[^>]*>([^<]*)</g))
    fields[name] = unescaped(value);
  for (const [, name = "", options = ""] of form.matchAll(/<select\b[^>]*\sname="([^"]*)"[^>]*>(.*?)<\/select>/gs)) {
    fields[name] = unescaped((/value="([^"]*)" selected/.exec(options) ?? /value="([^"]*)"/.exec(options))?.[1] ?? "");
  }
  return fields;
}

async function send(path: string, change: Record<string, string>): Promise<Shown> {
  return visitor.post(at(path), { ...(await fieldsOf(at(path))), ...change });
}

/** The page that it led to. */
async function done(path: string, change: Record<string, string>): Promise<string> {
  const shown = await send(path, change);
  expect([shown.status, shown.status === 303 ? "" : shown.text.slice(shown.text.indexOf("<main"))]).toEqual([303, ""]);
  return shown.headers.get("location") ?? "";
}

const idIn = (location: string) => /\/(\w+_\w+)/.exec(location)?.[1] ?? "";

async function makeFlag(name = "Login page"): Promise<string> {
  const { post } = visitor.api;
  const { id } = await post("/feature-flags", { name, parameters: { headline: { type: "string", value: "Sign in" } } });
  await post(`/feature-flags/${id}/variations`, { name: "Control", overrides: {} });
  await post(`/feature-flags/${id}/variations`, { name: "Warm", overrides: { headline: { value: "Welcome" } } });
  await post(`/feature-flags/${id}/status`, { status: "active" });
  return id;
}

describe("feature flags", () => {
  it("are made with parameters of every type, changed, and emptied of what may be left out", async () => {
    const id = idIn(
      await done("/flags/new", {
        name: "Login page",
        description: "What it says",
        "parameters[0].name": "headline",
        "parameters[0].value": "Sign in",
        "parameters[1].name": "steps",
        "parameters[1].type": "number",
        "parameters[1].value": "3",
        "parameters[2].name": "dark",
        "parameters[2].type": "boolean",
        "parameters[2].value": "false",
        "parameters[3].name": "links",
        "parameters[3].type": "array",
        "parameters[3].value": '["a"]',
        "parameters[3].description": "Where to",
        "parameters[4].name": "",
      }),
    );
    const made = await visitor.api.get(`/feature-flags/${id}`);
    expect(made).toMatchObject({
      key: "login_page",
      description: "What it says",
      parameters: {
        headline: { type: "string", value: "Sign in" },
        steps: { type: "number", value: 3 },
        dark: { type: "boolean", value: false },
        links: { type: "array", value: ["a"], description: "Where to" },
      },
    });
    expect(await done(`/flags/${id}/edit`, {})).toContain("done=unchanged");
    expect(await visitor.api.get(`/feature-flags/${id}`)).toEqual(made);
    await done(`/flags/${id}/edit`, { description: "", "parameters[1].value": "4" });
    const { description, parameters } = await visitor.api.get(`/feature-flags/${id}`);
    expect([description, parameters.steps.value, parameters.links.value]).toEqual([undefined, 4, ["a"]]);
  });

  it.each([
    [{ name: "ab" }, "name", "at least 3 characters"],
    [{ name: "" }, "name", /^must have at least 3 characters$/],
    [{ key: "Not a key" }, "key", "lower-case letters"],
    [{ "parameters[0].type": "number" }, "parameters[0].value", "declared type, number"],
    [{ "parameters[0].type": "object", "parameters[0].value": "{" }, "parameters[0].value", "must be JSON"],
    [{ "parameters[1].name": "headline" }, "parameters[1].name", "another row"],
    [{ "parameters[0].name": "", "parameters[0].value": "" }, "parameters", "at least 1"],
    [
      { "parameters[3].name": "a", "parameters[3].type": "number", "parameters[3].value": "x" },
      "parameters[3].value",
      "number",
    ],
    [{ "parameters[0].name": "__proto__" }, "parameters[0]", "another name"],
  ])("say what is wrong with %j", async (change, control, words) => {
    const shown = await send("/flags/new", {
      name: "Login page",
      "parameters[0].name": "headline",
      "parameters[0].value": "Sign in <b>here</b>",
      ...change,
    });
    expect(shown.status).toBe(400);
    expect(faultAt(shown, control)).toMatch(words);
    if (!Object.hasOwn(change, "parameters[0].value")) expect(shown.text).toContain("Sign in &lt;b&gt;here&lt;/b&gt;");
  });

  it("grow and lose rows without a script", async () => {
    const added = await send("/flags/new", { "parameters[0].name": "headline", _add: "parameters" });
    expect([
      added.status,
      added.text.includes('name="parameters[1].name"'),
      added.text.includes('value="headline"'),
    ]).toEqual([200, true, true]);
    const removed = await send("/flags/new", {
      "parameters[0].name": "one",
      "parameters[1].name": "two",
      _remove: "parameters[0]",
    });
    expect([
      removed.text.includes('value="two"'),
      removed.text.includes('value="one"'),
      removed.text.includes("parameters[1].name"),
    ]).toEqual([true, false, false]);
    expect(await visitor.api.get("/feature-flags")).toEqual({ feature_flags: [] });
  });

  it("have variations, of which only what differs is an override", async () => {
    const id = await makeFlag();
    await done(`/flags/${id}/variations/new`, { name: "Cold", "values[0]": "Enter" });
    await done(`/flags/${id}/variations/new`, { name: "Same" });
    const { variations } = await visitor.api.get(`/feature-flags/${id}/variations`);
    expect(variations.slice(2).map(({ overrides }: { overrides: object }) => overrides)).toEqual([
      { headline: { value: "Enter" } },
      {},
    ]);
    expect(faultAt(await send(`/flags/${id}/variations/new`, { name: "Cold" }), "name")).toContain("already exists");
    expect(
      faultAt(await send(`/flags/${id}/variations/new`, { name: "Long", "values[0]": "x".repeat(2_000) }), "values[0]"),
    ).toContain("1024 bytes");
    await done(`/flags/${id}/variations/${variations[2].id}/edit`, { "values[0]": "Sign in" });
    expect((await visitor.api.get(`/feature-flags/${id}/variations/${variations[2].id}`)).overrides).toEqual({});
    await done(`/flags/${id}/variations/${variations[3].id}/delete`, {});
    expect((await send(`/flags/${id}/variations/${variations[3].id}/delete`, {})).status).toBe(404);
  });

  it("are rolled out as the form says, and the form says what is so", async () => {
    const [id] = [await makeFlag(), await makeFlag("Other page")];
    const { id: segment } = await visitor.api.post("/segments", {
      name: "Phones",
      rules: [{ match: { device_type: ["mobile"] } }],
    });
    const rollout = {
      bucketing_key: "user_id",
      bucketing_salt: "salt",
      sticky_bucketing: true,
      dependencies: { other_page: ["warm"] },
      inclusions: { warm: { user_ids: ["ann", "bob"], device_ids: [] } },
      targeting: [
        { name: "Phones", segment_id: segment, percentage: 50, weights: { warm: 1 } },
        {
          name: "Swiss on paper",
          percentage: 100,
          weights: { control: 1, warm: 2 },
          conditions: [
            [{ selector: ["context", "user", "country"], op: "is", values: ["CH"] }],
            [{ selector: ["context", "user", "user_properties", "a.b"], op: "contains", values: ["x", "y"] }],
          ],
        },
      ],
      all_users: { percentage: 10, weights: { control: 3, warm: 7 } },
    };
    await visitor.api.patch(`/feature-flags/${id}`, { rollout });
    expect(await done(`/flags/${id}/rollout`, {})).toContain("unchanged");
    await done(`/flags/${id}/rollout`, { "all_users.percentage": "20", "targeting[0].name": "All phones" });
    const [first, second] = rollout.targeting;
    expect((await visitor.api.get(`/feature-flags/${id}`)).rollout).toEqual({
      ...rollout,
      targeting: [{ ...first, name: "All phones" }, second],
      all_users: { ...rollout.all_users, percentage: 20 },
    });
    for (const [change, control, words] of [
      [{ "all_users.percentage": "many" }, "all_users.percentage", "must be a number"],
      [{ "targeting[1].percentage": "101" }, "targeting[1].percentage", "at most 100"],
      [{ "targeting[1].any[1].all[0].selector": "nobody" }, "targeting[1].any[1].all[0].selector", "must be a path"],
      [{ "targeting[0].weights[1].weight": "-1" }, "targeting[0].weights[1].weight", "negative"],
      [{ "dependencies[0].name": "nobody" }, "dependencies[0]", "no feature flag"],
    ] as [Record<string, string>, string, string][]) {
      expect([control, faultAt(await send(`/flags/${id}/rollout`, change), control)]).toEqual([
        control,
        expect.stringContaining(words),
      ]);
    }
  });

  it("that somebody else has changed meanwhile are not overwritten unseen", async () => {
    const id = await makeFlag();
    const fields = await fieldsOf(at(`/flags/${id}/edit`));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await visitor.api.patch(`/feature-flags/${id}`, { description: "By another" });
    const shown = await visitor.post(at(`/flags/${id}/edit`), { ...fields, name: "Mine" });
    expect(shown.status).toBe(409);
    expect(shown.text).toContain("changed it meanwhile");
    expect(shown.text).toContain('value="Mine"');
    expect((await visitor.api.get(`/feature-flags/${id}`)).name).toBe("Login page");
  });
});

describe("segments", () => {
  it("are made of rules, cohorts by their names, and shown in words", async () => {
    const { id: cohort } = await visitor.api.post("/cohorts", {
      name: "Beta testers",
      id_type: "user",
      source: { type: "push" },
    });
    const id = idIn(
      await done("/segments/new", {
        name: "Swiss phones",
        "rules[0].conditions[0].attribute": "country",
        "rules[0].conditions[0].operator": "is",
        "rules[0].conditions[0].values": "CH\r\nLI",
        "rules[0].conditions[1].attribute": "device_type",
        "rules[0].conditions[1].operator": "is_not",
        "rules[0].conditions[1].values": "desktop",
        "rules[0].conditions[2].attribute": "region",
        "rules[0].conditions[2].operator": "exists",
        "rules[1].conditions[0].attribute": "cohort",
        "rules[1].conditions[0].operator": "is",
        "rules[1].conditions[0].values": "Beta testers",
      }),
    );
    const { rules } = await visitor.api.get(`/segments/${id}`);
    expect(rules).toEqual([
      { match: { country: ["CH", "LI"], region: { exists: true } }, not_match: { device_type: ["desktop"] } },
      { match: { cohort: [cohort] } },
    ]);
    const { text } = await visitor.look(at(`/segments/${id}`));
    expect(text).toContain("country is any of CH or LI");
    expect(text).toContain("device type is none of desktop");
    expect(text).toContain("cohort is any of Beta testers");
    expect(await done(`/segments/${id}/edit`, {})).toContain("unchanged");
  });

  it.each([
    [{ "rules[0].conditions[0].attribute": "" }, "rules[0].conditions[0].values", "is not known here"],
    [{ "rules[0].conditions[0].values": "" }, "rules[0].conditions[0].values", "at least one"],
    [
      { "rules[0].conditions[1].attribute": "country", "rules[0].conditions[1].values": "DE" },
      "rules[0].conditions[1].attribute",
      "asks the same",
    ],
  ])("say what is wrong with %j", async (change, control, words) => {
    const shown = await send("/segments/new", {
      name: "Swiss phones",
      "rules[0].conditions[0].attribute": "country",
      "rules[0].conditions[0].operator": "is",
      "rules[0].conditions[0].values": "CH",
      ...change,
    });
    expect(faultAt(shown, control)).toContain(words);
  });
});

describe("cohorts", () => {
  it("are made, pushed to, asked and deleted", async () => {
    const id = idIn(await done("/cohorts/new", { name: "Beta testers", "source.type": "push" }));
    expect(await visitor.api.get(`/cohorts/${id}`)).toMatchObject({
      source: { type: "push" },
      id_type: "user",
      refresh_minutes: 60,
    });
    await done(`/cohorts/${id}/members`, { members: "ann\nbob\n", mode: "add" });
    expect((await visitor.look(at(`/cohorts/${id}?member=ann`))).text).toContain("<strong>a member</strong>");
    expect((await visitor.look(at(`/cohorts/${id}?member=eve`))).text).toContain("<strong>no member</strong>");
    await done(`/cohorts/${id}/members`, { members: "ann", mode: "remove" });
    expect((await visitor.look(at(`/cohorts/${id}?member=ann`))).text).toContain("<strong>no member</strong>");
    expect(await done(`/cohorts/${id}/delete`, {})).toContain("/cohorts?done=deleted");
  });

  it("say what is wrong with their source and credentials", async () => {
    const base = { name: "Beta testers", "source.url": "https://nobody.example/list" };
    for (const [change, control, words] of [
      [{}, "source.url", "COHORT_HOSTS"],
      [{ "source.url": "" }, "source.url", "must"],
      [{ refresh_minutes: "1" }, "refresh_minutes", "at least 5"],
      [{ "credentials.type": "basic", "credentials.username": "a:b" }, "credentials.username", "colon"],
      [{ "credentials.type": "bearer" }, "credentials.token", "visible ASCII"],
      [{ name: "x" }, "name", "at least 3"],
    ] as [Record<string, string>, string, string][]) {
      const shown = await send("/cohorts/new", { ...base, ...change });
      expect([control, shown.status, faultAt(shown, control)]).toEqual([control, 400, expect.stringContaining(words)]);
    }
  });
});

describe("groups", () => {
  it("of either type are formed, changed and dissolved", async () => {
    const flag = await makeFlag();
    const holdout = idIn(
      await done("/groups/new?type=holdout", { name: "Held out", percentage: "5", feature_flag_ids: flag }),
    );
    expect(await visitor.api.get(`/groups/${holdout}`)).toMatchObject({
      type: "holdout",
      percentage: 5,
      feature_flag_ids: [flag],
    });
    await done(`/groups/${holdout}/edit`, { percentage: "10" });
    expect((await visitor.api.get(`/groups/${holdout}`)).percentage).toBe(10);
    const apart = idIn(
      await done("/groups/new", {
        name: "One at a time",
        "slots[0].percentage": "50",
        "slots[0].feature_flag_ids": flag,
        "slots[1].percentage": "50",
      }),
    );
    expect((await visitor.api.get(`/groups/${apart}`)).slots).toEqual([
      { percentage: 50, feature_flag_ids: [flag] },
      { percentage: 50, feature_flag_ids: [] },
    ]);
    expect(await done(`/groups/${apart}/edit`, {})).toContain("unchanged");
    expect(faultAt(await send("/groups/new?type=holdout", { name: "Held out", percentage: "5" }), "name")).toContain(
      "already exists",
    );
    expect(
      faultAt(await send("/groups/new?type=holdout", { name: "More", percentage: "500" }), "percentage"),
    ).toContain("at most 100");
    // What the list of choices leaves out stays chosen.
    await visitor.api.post(`/feature-flags/${flag}/status`, { status: "archived" });
    await done(`/groups/${holdout}/edit`, { name: "Held out still" });
    expect(await fieldsOf(at(`/groups/${holdout}/edit`))).toMatchObject({ feature_flag_ids: flag });
    await done(`/groups/${apart}/delete`, {});
  });
});

describe("deployments and tokens", () => {
  it("show their secrets once", async () => {
    const shown = await send("/deployments/new", { name: "Back end", type: "server" });
    expect([shown.status, shown.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const [key = ""] = /server-[\w-]{32}/.exec(shown.text) ?? [];
    expect(key).not.toBe("");
    const { deployments } = await visitor.api.get("/deployments");
    const page = at(`/deployments/${deployments[0].id}`);
    expect((await visitor.look(page)).text).not.toContain(key);
    const rotated = await visitor.post(`${page}/rotate`);
    expect(rotated.text).toMatch(/server-[\w-]{32}/);
    expect(rotated.text).not.toContain(key);
    expect(faultAt(await send("/deployments/new", { name: "Back end" }), "name")).toContain("already exists");

    const made = await send("/tokens/new", {
      name: "Reader",
      scopes: "read:experimentation",
      expires_at: "2999-01-31T12:00",
    });
    const [token = ""] = /vst_[\w-]{43}/.exec(made.text) ?? [];
    expect((await visitor.api.get("/tokens")).tokens[0]).toMatchObject({
      scopes: ["read:experimentation"],
      expires_at: "2999-01-31T12:00:00.000Z",
    });
    expect((await visitor.look(at("/tokens"))).text).not.toContain(token);
    expect(
      faultAt(await send("/tokens/new", { name: "Old one", expires_at: "2001-01-01T12:00" }), "expires_at"),
    ).toContain("future");
    // As clocks show it where the reader is, in winter and in summer.
    for (const [written, meant] of [
      ["2999-01-31T12:00", "2999-01-31T11:00:00.000Z"],
      ["2998-07-01T00:30", "2998-06-30T22:30:00.000Z"],
    ] as const) {
      const fields = { name: `Until ${meant}`, scopes: "read:experimentation", expires_at: written };
      await visitor.post(at("/tokens/new"), fields, { cookie: `${visitor.cookie}; vst_tz=Europe%2FZurich` });
      expect((await visitor.api.get("/tokens")).tokens.map((one: { expires_at: string }) => one.expires_at)).toContain(
        meant,
      );
    }
    const bare = await visitor.post(at("/tokens/new"), { name: "Nothing" });
    expect(faultAt(bare, "scopes")).toContain("at least one scope");
  });
});

describe("log streams and the log", () => {
  it("streams are made, paused, resumed, changed and deleted", async () => {
    visitor = createVisitor(createClient({ vars: { LOG_STREAM_HOSTS: "logs.example.com" } }));
    await visitor.signIn();
    const fields = {
      name: "Our logs",
      "sink.http_endpoint": "https://logs.example.com/in",
      filters: "auth.login.fail",
    };
    const id = idIn(await done("/log-streams/new", { ...fields, "sink.http_authorization": "Bearer secret" }));
    const page = `/log-streams/${id}`;
    expect(await visitor.api.get(page)).toMatchObject({
      status: "active",
      filters: [{ type: "category", name: "auth.login.fail" }],
      sink: { http_endpoint: "https://logs.example.com/in", has_authorization: true },
    });
    expect((await visitor.look(at(page))).text).not.toContain("secret");
    expect(await done(`${page}/edit`, {})).toContain("unchanged");
    await done(`${page}/edit`, { "sink.http_content_format": "JSONARRAY" });
    expect((await visitor.api.get(page)).sink).toMatchObject({
      http_content_format: "JSONARRAY",
      has_authorization: true,
    });
    await done(`${page}/status`, { to: "paused" });
    expect((await visitor.api.get(page)).status).toBe("paused");
    await done(`${page}/status`, { to: "active" });
    const wrong = await send("/log-streams/new", {
      ...fields,
      name: "Other",
      "sink.http_endpoint": "https://evil.example/",
    });
    expect(faultAt(wrong, "sink.http_endpoint")).toContain("LOG_STREAM_HOSTS");
    expect(faultAt(await send("/log-streams/new", fields), "name")).toContain("already exists");
    await done(`${page}/delete`, {});
  });

  it("the log says what is wrong with a question, beside it", async () => {
    expect((await visitor.look(at("/log"))).text).toContain("Nothing yet");
    const shown = await visitor.look(at("/log?q=type:("));
    expect([shown.status, faultAt(shown, "q") !== undefined]).toEqual([400, true]);
    expect((await visitor.look(at("/log?q=type:w"))).text).toContain("No entry");
    expect((await visitor.look(at("/log/nobody"))).status).toBe(404);
  });
});

describe("experiments", () => {
  it("are made, validated, started, ramped, changed while paused, and ended", async () => {
    const flag = await makeFlag();
    const id = idIn(await done(`/experiments/new?flag=${flag}`, { name: "Warmer", levels: "10, 50 100" }));
    const page = `/experiments/${id}`;
    const { variations } = await visitor.api.get(`/feature-flags/${flag}/variations`);
    expect(await visitor.api.get(page)).toMatchObject({
      levels: [10, 50, 100],
      allocations: [
        { variation_id: variations[0].id, weight: 50, is_control: true },
        { variation_id: variations[1].id, weight: 50, is_control: false },
      ],
    });
    const { text } = await visitor.look(at(`${page}/status?to=active`));
    expect(text).toContain("Of 10,000 devices, about 500 get Control, 500 get Warm, and 9,000 see the page as it is");
    expect(await done(`${page}/status`, { to: "active" })).toContain("done=status");
    await done(`${page}/ramp`, { target: "50" });
    expect((await visitor.api.get(page)).current_level).toBe(50);
    expect((await send(`${page}/ramp`, { target: "10" })).text).toContain("next is 100");
    expect((await visitor.look(at(`${page}/edit`))).text).not.toContain("allocations[0].weight");
    await done(`${page}/edit`, { description: "While it runs" });
    await done(`${page}/status`, { to: "paused" });
    await done(`${page}/edit`, { "allocations[0].weight": "30", "allocations[1].weight": "70" });
    expect((await visitor.api.get(page)).epoch).toBe(2);
    await done(`${page}/status`, { to: "completed" });
    expect((await send(`${page}/status`, { to: "active" })).text).toContain("cannot be reactivated");
    await done(`${page}/delete`, {});
  });

  it("show the warnings of validation, and can be started all the same", async () => {
    const flag = await makeFlag();
    const made = { name: "Reset", authentication_flow: "password_reset" };
    const page = at(`/experiments/${idIn(await done(`/experiments/new?flag=${flag}`, made))}`);
    for (const path of [page, `${page}/status?to=active`]) {
      const { text } = await visitor.look(path);
      expect(text).toContain("no page at the gate belongs to the flow password_reset");
      expect(text).toContain("Edit the experiment");
    }
    expect((await visitor.look(`${page}/status?to=active`)).text).toContain(
      "It can be activated, but check this first",
    );
  });

  it("keep the order of their allocations, which the split goes by", async () => {
    const flag = await makeFlag();
    const [{ id: control }, { id: warm }] = (await visitor.api.get(`/feature-flags/${flag}/variations`)).variations;
    const allocation = (variation_id: string, weight: number) => ({
      variation_id,
      weight,
      is_control: variation_id === control,
    });
    const { id } = await visitor.api.post("/experiments", {
      name: "Other way round",
      feature_flag_id: flag,
      authentication_flow: "authentication",
      allocation_strategy: "percentage",
      assignment_config: { subject: "device" },
      allocations: [allocation(warm, 20), allocation(control, 80)],
    });
    await done(`/experiments/${id}/edit`, { "allocations[0].weight": "30", "allocations[1].weight": "70" });
    expect((await visitor.api.get(`/experiments/${id}`)).allocations).toEqual([
      allocation(warm, 30),
      allocation(control, 70),
    ]);
  });

  it("that cannot run say what to mend, and where", async () => {
    const flag = await makeFlag();
    const id = idIn(
      await done(`/experiments/new?flag=${flag}`, { name: "Warmer", "allocations[0].weight": "30", control: "" }),
    );
    const { text } = await visitor.look(at(`/experiments/${id}`));
    expect(text).toContain("must total 100, not 80");
    expect(text).toContain("exactly one allocation must have is_control");
    expect(text).toContain(`href="/_vestibule/experiments/${id}/edit"`);
    const refused = await send(`/experiments/${id}/status`, { to: "active" });
    expect([refused.status, refused.text.includes("must total 100, not 80")]).toEqual([400, true]);
  });

  it("by segment are made in the order of their rows", async () => {
    const flag = await makeFlag();
    const { variations } = await visitor.api.get(`/feature-flags/${flag}/variations`);
    const { id: segment } = await visitor.api.post("/segments", {
      name: "Phones",
      rules: [{ match: { device_type: ["mobile"] } }],
    });
    const id = idIn(
      await done(`/experiments/new?flag=${flag}&strategy=segment`, {
        name: "Phones first",
        "allocations[0].segment_id": segment,
        "allocations[0].variation_id": variations[1].id,
      }),
    );
    expect((await visitor.api.get(`/experiments/${id}`)).allocations).toEqual([
      { variation_id: variations[1].id, segment_id: segment, priority: 1, is_control: false },
      { variation_id: variations[0].id, is_fallback: true, is_control: true },
    ]);
    expect(await done(`/experiments/${id}/edit`, {})).toContain("unchanged");
    const { text } = await visitor.look(at(`/experiments/${id}/status?to=active`));
    expect(text).toContain("Everyone in “Phones”");
  });

  it.each([
    [{ name: "x" }, "name", "at least 3"],
    [{ "allocations[1].weight": "half" }, "allocations[1].weight", "must be a number"],
    [{ "allocations[1].weight": "12.5" }, "allocations[1].weight", "whole number"],
    [{ "allocations[0].weight": "", "allocations[1].weight": "500" }, "allocations[1].weight", "at most 100"],
    [{ levels: "5, lots" }, "levels", "must be a number"],
    [{ "allocations[0].weight": "", "allocations[1].weight": "" }, "allocations", "at least one allocation"],
  ])("say what is wrong with %j", async (change, control, words) => {
    const flag = await makeFlag();
    const shown = await send(`/experiments/new?flag=${flag}`, { name: "Warmer", ...change });
    expect([shown.status, faultAt(shown, control)]).toEqual([400, expect.stringContaining(words)]);
  });
});

describe("forgetting somebody", () => {
  it("asks first, and says what went", async () => {
    expect(faultAt(await visitor.look(at("/forget?device_id=&user_id=")), "device_id")).toContain("must be given");
    expect((await visitor.look(at("/forget?user_id=ann%3Cb%3E"))).text).toContain("user id “ann&lt;b&gt;”");
    const { status, text } = await visitor.post(at("/forget"), { user_id: "ann", device_id: "" });
    expect([status, text.includes("Forgotten: 0 units")]).toEqual([200, true]);
    const refused = await visitor.post(at("/forget"), { user_id: "" });
    expect([refused.status, refused.text.includes("must hold device_id or user_id")]).toEqual([400, true]);
  });
});

describe("import and export", () => {
  it("shows what would change before it does", async () => {
    await makeFlag();
    const { text: file, headers } = await visitor.look(at("/transfer/export"));
    expect(headers.get("content-disposition")).toContain("attachment");
    const changed = file.replace('"Login page"', '"Log-in page"');
    const preview = await visitor.post(at("/transfer"), { text: changed });
    expect(preview.text).toContain("What would change");
    expect((await visitor.api.get("/feature-flags")).feature_flags[0].name).toBe("Login page");
    expect((await visitor.post(at("/transfer"), { text: changed, do: "1" })).text).toContain("Imported");
    expect((await visitor.api.get("/feature-flags")).feature_flags[0].name).toBe("Log-in page");
    const wrong = await visitor.post(at("/transfer"), { text: '{ "feature_flags": [{}] }' });
    expect(wrong.text).toContain("It cannot be imported");
    const broken = await visitor.post(at("/transfer"), { text: "{" });
    expect([broken.status, broken.text.includes("must be JSON")]).toEqual([400, true]);
  });
});
