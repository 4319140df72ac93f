import { beforeEach, describe, expect, it, vi } from "vitest";
import sample from "../../../scripts/sample/login-page.json" with { type: "json" };
import { type Client, createClient } from "../client.ts";

const shop = {
  ...sample,
  deployments: [
    { name: "Mobile app", type: "client" },
    { name: "Back end", type: "server" },
  ],
  feature_flags: sample.feature_flags.map((flag) => ({ ...flag, deployments: ["Mobile app"] })),
};

let client: Client;
beforeEach(() => {
  client = createClient();
});

async function tokenOf(...verbs: string[]): Promise<string> {
  const scopes = verbs.map((verb) => `${verb}:experimentation`);
  return (await client.post("/tokens", { name: `May ${verbs.join(" and ")}`, scopes })).token;
}

describe("import", () => {
  it("makes what a document says in one commit, and publishes it", async () => {
    const { changes, problems, dry_run } = await client.post("/import", sample);
    expect({ problems, dry_run }).toEqual({ problems: [], dry_run: false });
    expect(changes).toContainEqual({
      action: "create",
      resource_type: "experiment",
      id: "exp_WarmerLogin",
      name: "Warmer log-in page",
      fields: [],
    });
    expect(await client.get("/experiments/exp_WarmerLogin")).toMatchObject({ status: "active", is_valid: true });
    await vi.waitFor(async () =>
      expect(await client.published()).toMatchObject({ version: 1, flags: [{ key: "login_page" }] }),
    );
    const { changes: log } = await client.get("/changes");
    expect(new Set(log.map(({ operation }: { operation: string }) => operation))).toEqual(
      new Set(["import_configuration"]),
    );
    expect(new Set(log.map(({ version }: { version: number }) => version))).toEqual(new Set([1]));
  });

  it("changes nothing the second time", async () => {
    await client.post("/import", sample);
    expect((await client.post("/import", sample)).changes).toEqual([]);
    expect((await client.get("/changes")).changes[0].version).toBe(1);
  });

  it("only tells what it would do on a dry run, problems too", async () => {
    const broken = { ...sample, segments: [] };
    const dry = await client.post("/import?dry_run=true", broken);
    expect(dry).toMatchObject({
      dry_run: true,
      problems: [
        {
          code: "invalid_body",
          path: "experiments[1].allocations[0].segment_id",
          message: "no segment Mobile visitors",
        },
      ],
    });
    expect((await client.post("/import?dry_run=true", sample)).changes).toHaveLength(11);
    expect(await client.get("/feature-flags")).toEqual({ feature_flags: [] });
  });

  it("refuses a document with any fault whole, naming all of them", async () => {
    const [login, signUp] = sample.experiments;
    const answer = await client.send("POST", "/import", {
      ...sample,
      experiments: [
        { ...login, name: "x" },
        { ...signUp, status: "live" },
      ],
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      statusCode: 400,
      error: "Bad Request",
      errorCode: "invalid_import",
      message: expect.stringMatching(
        /^The file cannot be imported; nothing was changed\. experiments\[0\]\.name: must have at least 3 characters; experiments\[1\]\.status: must be /,
      ),
    });
    expect(await client.get("/feature-flags")).toEqual({ feature_flags: [] });
  });

  it.each<[string, unknown]>([
    ["a list", []],
    ["a text", '"feature_flags"'],
    ["a number", 3],
    ["entries of nothing", { feature_flags: [null] }],
    ["no entries", { feature_flags: null }],
    ["a list in a list", { experiments: [[[]]] }],
    ["another's property", { toString: [] }],
  ])("refuses %s", async (_, body) => {
    const answer = await client.send("POST", "/import", body, { "content-type": "application/json" });
    expect(answer.status).toBe(400);
    expect(["invalid_import", "invalid_body"]).toContain(answer.body.errorCode);
  });

  it("shows the keys of new deployments once", async () => {
    const { deployments } = await client.post("/import", shop);
    expect(deployments).toEqual([
      expect.objectContaining({ name: "Mobile app", type: "client", key: expect.stringMatching(/^client-/) }),
      expect.objectContaining({ name: "Back end", type: "server", key: expect.stringMatching(/^server-/) }),
    ]);
    const [app, backEnd] = (await client.get("/deployments")).deployments;
    expect(app.key).toBe(deployments[0].key);
    expect(backEnd).not.toHaveProperty("key");
    expect((await client.post("/import", shop)).deployments).toEqual([]);
    expect((await client.get("/deployments")).deployments).toEqual([app, backEnd]);
  });

  it("deletes what the document does not name when it is asked to", async () => {
    await client.post("/import", sample);
    const { id } = await client.post("/segments", { name: "Phones", rules: sample.segments[0]?.rules });
    expect((await client.post("/import", sample)).changes).toEqual([]);
    const { changes } = await client.post("/import?prune=true", sample);
    expect(changes).toEqual([{ action: "delete", resource_type: "segment", id, name: "Phones", fields: [] }]);
    expect((await client.send("GET", `/segments/${id}`)).status).toBe(404);
  });

  it.each<[string, string[], number]>([
    ["/import", ["create", "update"], 200],
    ["/import", ["create"], 403],
    ["/import", ["read", "update", "delete"], 403],
    ["/import?prune=true", ["create", "update"], 403],
    ["/import?prune=true", ["create", "update", "delete"], 200],
    ["/import?dry_run=true", ["create"], 403],
  ])("%s for who may %s answers %i", async (path, verbs, status) => {
    const headers = { authorization: `Bearer ${await tokenOf(...verbs)}` };
    const answer = await client.send("POST", path, sample, headers);
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body.errorCode).toBe("insufficient_scope");
  });

  it("names all the scopes it takes to who lacks some", async () => {
    const headers = { authorization: `Bearer ${await tokenOf("create", "update")}` };
    const { body } = await client.send("POST", "/import?prune=true", sample, headers);
    expect(body.message).toBe(
      "Insufficient scope; expected all of: create:experimentation, update:experimentation, delete:experimentation.",
    );
  });

  it.each(["dry_run=1", "prune=yes", "format=csv", "dryrun=true"])("refuses the query %s", async (query) => {
    const answer = await client.send("POST", `/import?${query}`, sample);
    expect(answer.body).toMatchObject({ statusCode: 400, errorCode: "invalid_query_string" });
  });
});

describe("import of Amplitude's flags", () => {
  const variants = { control: { key: "control" }, treatment: { key: "treatment" }, off: { key: "off" } };
  const flag = {
    key: "page",
    variants,
    segments: [
      {
        bucket: {
          selector: ["context", "user", "user_id"],
          salt: "pepper",
          allocations: [
            {
              range: [0, 40],
              distributions: [
                { variant: "control", range: [0, 21474837] },
                { variant: "treatment", range: [21474836, 42949673] },
              ],
            },
          ],
        },
        variant: "off",
        metadata: { segmentName: "All Other Users" },
      },
    ],
    metadata: { deployed: true, evaluationMode: "remote", flagType: "release", flagVersion: 7 },
  };

  it("makes feature flags of them, which are published with the same ranges", async () => {
    const { problems, warnings } = await client.post("/import?format=amplitude", [flag]);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const [made] = (await client.get("/feature-flags")).feature_flags;
    expect(made).toMatchObject({ key: "page", status: "active", rollout: { all_users: { percentage: 40 } } });
    await vi.waitFor(async () =>
      expect(await client.published()).toMatchObject({ flags: [{ key: "page", segments: flag.segments }] }),
    );
  });

  it("names what cannot be expressed by flag and segment, and makes nothing of the rest", async () => {
    const [segment] = flag.segments;
    const odd = { ...flag, key: "odd", segments: [{ ...segment, variant: "control" }] };
    const answer = await client.send("POST", "/import?format=amplitude", [flag, odd]);
    expect(answer.body).toMatchObject({ statusCode: 400, errorCode: "invalid_import" });
    expect(answer.body.message).toContain('[1].segments[0]: flag "odd", segment "All Other Users": gives control');
    expect(await client.get("/feature-flags")).toEqual({ feature_flags: [] });
  });
});

describe("export", () => {
  it("gives what import takes, in any tenant, without keys or tokens", async () => {
    await client.post("/import", shop);
    await tokenOf("read");
    const file = await client.get("/export");
    expect(Object.keys(file)).toEqual([
      "version",
      "feature_flags",
      "experiments",
      "segments",
      "cohorts",
      "groups",
      "deployments",
    ]);
    expect(JSON.stringify(file)).not.toMatch(/"(key_hash|hash|token)"|client-|server-/);
    const other = createClient();
    await other.post("/import", file);
    expect((await other.send("GET", "/export")).text).toBe((await client.send("GET", "/export")).text);
    expect((await client.post("/import?prune=true", file)).changes).toEqual([]);
  });

  it("is for who may read", async () => {
    const may = { authorization: `Bearer ${await tokenOf("read")}` };
    const mayNot = { authorization: `Bearer ${await tokenOf("create", "update", "delete")}` };
    expect((await client.send("GET", "/export", undefined, may)).status).toBe(200);
    expect((await client.send("GET", "/export", undefined, mayNot)).body.errorCode).toBe("insufficient_scope");
  });
});
