import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { countsOf, logEntriesOf } from "./log-in-report.ts";
import { type LogReceiver, startLogReceiver } from "./log-receiver.ts";
import { manage } from "./managed.ts";
import { type Stack, sample, startStack, variationOn, visitLogin } from "./stack.ts";

let stack: Stack;
let receiver: LogReceiver;
let before = 0;
beforeAll(async () => {
  receiver = await startLogReceiver();
  stack = await startStack({ vars: { LOG_STREAM_HOSTS: receiver.origin } });
});
afterAll(() => Promise.all([stack.close(), receiver.close()]));
beforeEach(() => {
  before = stack.lines.length;
});

const someone = { email: "someone@example.com", password: demoPassword };
const lines = () => stack.lines.slice(before);

/**
 * What the queue brought once a log-in's last entry is there: it travels with the last event, after all the others.
 */
async function reportWith(last: string) {
  await expect.poll(() => countsOf(lines()), { timeout: 10_000 }).toHaveProperty([last]);
  return { counts: countsOf(lines()), entries: logEntriesOf(lines()) };
}

const experiment = sample.experiment;

describe("what a log-in leaves in the statistics and the log", () => {
  it("is one assignment, one exposure and one success", async () => {
    const visitor = await visitLogin(stack.gate);
    const { variation } = variationOn(visitor.page);
    await visitor.get(visitor.page.url);
    await visitor.submit(someone);
    const { counts, entries } = await reportWith("log:s");
    expect(counts).toEqual({
      [`assignment:${experiment}`]: 1,
      [`exposure:${experiment}`]: 1,
      [`auth:${experiment}`]: 1,
      "log:s": 1,
    });
    expect(entries).toEqual([
      expect.objectContaining({
        type: "s",
        description: "Success Login",
        tenant_name: "default",
        hostname: new URL(stack.gate.issuer).host,
        details: {
          experiment: {
            id: experiment,
            variation_id: variation,
            is_control: variation === sample.control,
            method: "auto",
            epoch: 1,
          },
        },
      }),
    ]);
  });

  it("is a sign-up's where the visitor signed up", async () => {
    const visitor = await visitLogin(stack.gate, "prompt=create");
    await visitor.submit({ email: "new@example.com", password: "long enough" });
    expect(visitor.page.body).toContain('data-page="signed-in"');
    const { counts } = await reportWith("log:ss");
    expect(counts).toEqual({
      [`assignment:${experiment}`]: 1,
      [`exposure:${experiment}`]: 1,
      [`auth:${experiment}`]: 1,
      "log:ss": 1,
    });
  });

  it("is a failure, then a success, after a wrong password", async () => {
    const visitor = await visitLogin(stack.gate);
    await visitor.submit({ ...someone, password: "wrong" });
    await visitor.submit(someone);
    const { counts, entries } = await reportWith("log:s");
    expect(counts).toEqual({
      [`assignment:${experiment}`]: 1,
      [`exposure:${experiment}`]: 1,
      [`auth:${experiment}`]: 2,
      "log:f": 1,
      "log:s": 1,
    });
    expect(entries.map(({ type, details }) => [type, details.experiment?.id])).toEqual([
      ["f", experiment],
      ["s", experiment],
    ]);
  });

  it("is a failed sign-up, then a log-in, for whom the sign-up form refused", async () => {
    const visitor = await visitLogin(stack.gate, "prompt=create");
    await visitor.submit({ email: "someone@example.com", password: "short" });
    await visitor.click("Sign in");
    await visitor.submit(someone);
    const { counts } = await reportWith("log:s");
    expect(counts).toMatchObject({ "log:fs": 1, "log:s": 1, [`exposure:${experiment}`]: 1 });
  });

  it("tells no name, address or device", async () => {
    const visitor = await visitLogin(stack.gate);
    const device = visitor.cookies.get(stack.gate.issuer, "vst_did") ?? "";
    await visitor.submit({ email: "secret@example.com", password: demoPassword });
    await reportWith("log:s");
    const text = JSON.stringify(lines());
    expect(text).not.toContain("secret");
    expect(device.length).toBeGreaterThan(22);
    expect(text).not.toContain(device.slice(0, 22));
  });
});

describe("a forced log-in", () => {
  it.each([sample.control, sample.treatment])(
    "is in the log, marked so, and in no statistics (%s)",
    async (variation) => {
      const visitor = await visitLogin(stack.gate, `experiment_id=${experiment}&variation_id=${variation}`);
      await visitor.submit({ ...someone, password: "wrong" });
      await visitor.submit(someone);
      const { counts, entries } = await reportWith("log:s");
      expect(counts).toEqual({ "log:f": 1, "log:s": 1 });
      expect(entries.map(({ details }) => details.experiment)).toEqual([
        expect.objectContaining({ id: experiment, variation_id: variation, method: "forced" }),
        expect.objectContaining({ id: experiment, variation_id: variation, method: "forced" }),
      ]);
    },
  );
});

describe("the log of the tenant", () => {
  it("has what was seen here, onwards from the first and by what is asked, forced ones marked", async () => {
    const { send } = manage({ url: stack.gate.issuer });
    const start = (await send("GET", "/logs?per_page=1"))[0]?.log_id;
    const visitor = await visitLogin(stack.gate);
    const { variation } = variationOn(visitor.page);
    await visitor.submit({ ...someone, password: "wrong" });
    await visitor.submit(someone);
    const forced = await visitLogin(stack.gate, `experiment_id=${experiment}&variation_id=${sample.control}`);
    await forced.submit(someone);
    const read = (q: string) =>
      send("GET", `/logs?take=100${start ? `&from=${start}` : ""}&q=${encodeURIComponent(q)}`);
    await expect.poll(() => read("type:s"), { timeout: 10_000 }).toHaveLength(2);
    const [failed, succeeded, marked] = await read("type:(s OR f)");
    expect([failed.type, succeeded.type, marked.type]).toEqual(["f", "s", "s"]);
    expect(succeeded.details.experiment).toMatchObject({ id: experiment, variation_id: variation, method: "auto" });
    expect(await read("details.experiment.method:forced")).toEqual([marked]);
    expect(await read(`details.experiment.id:"${experiment}" AND type:f`)).toEqual([failed]);
    expect(await send("GET", `/logs/${succeeded.log_id}`)).toEqual(succeeded);
  });

  it("reaches webhooks: one that fails and comes back misses nothing, one that hangs delays nobody", async () => {
    const { send } = manage({ url: stack.gate.issuer });
    const made = ["/lines", "/array", "/slow"].map((path) => ({
      name: `Receiver of ${path}`,
      type: "http",
      filters: [{ type: "category", name: "auth.login.success" }],
      sink: {
        http_endpoint: `${receiver.origin}${path}`,
        http_content_format: path === "/array" ? "JSONARRAY" : "JSONLINES",
        http_authorization: "Bearer receiver's",
      },
    }));
    const streams = [];
    for (const one of made) streams.push(await send("POST", "/log-streams", one));
    receiver.modes.set("/array", "fail").set("/slow", "hang");
    const signIn = async () => (await visitLogin(stack.gate)).submit(someone);
    await signIn();
    await expect.poll(() => receiver.taken("/lines"), { timeout: 10_000 }).toHaveLength(1);
    await expect.poll(() => receiver.asked.filter(({ path }) => path === "/array").length).toBeGreaterThan(0);
    await signIn();
    await expect.poll(() => receiver.taken("/lines"), { timeout: 5_000 }).toHaveLength(2);
    receiver.modes.delete("/array");
    await expect.poll(() => receiver.taken("/array"), { timeout: 15_000 }).toHaveLength(2);
    const [first] = receiver.taken("/array");
    expect(first).toMatchObject({
      type: "s",
      description: "Success Login",
      details: { experiment: { id: experiment, method: "auto" } },
    });
    expect(receiver.taken("/array")).toEqual(receiver.taken("/lines"));
    expect(receiver.asked.every(({ authorization }) => authorization === "Bearer receiver's")).toBe(true);
    const { delivery } = await send("GET", `/log-streams/${streams[1].id}`);
    expect(delivery).toMatchObject({ state: "idle", delivered: 2, pending: 0, lost: 0 });
    expect((await send("GET", `/log-streams/${streams[2].id}`)).delivery).toMatchObject({ delivered: 0, pending: 2 });
    for (const { id } of streams) await send("DELETE", `/log-streams/${id}`);
  });
});
