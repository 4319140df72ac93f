import { describe, expect, it } from "vitest";
import { experiment, flag, share, variations } from "../model/resources.ts";
import { type Lives, type Mode, withLives } from "./lives.ts";

const minute = 60_000;

/** An active experiment, stored as if the API had made it. */
async function setUp({ storage, restart }: Lives): Promise<void> {
  const rows: [string, { id: string }][] = [
    ["feature_flag", flag()],
    ...variations.map((one): [string, { id: string }] => ["variation", one]),
    ["experiment", experiment()],
    ["experiment", experiment({ id: "exp_Later", name: "Later", status: "draft", allocations: [share("a", 100)] })],
  ];
  for (const [position, [kind, item]] of rows.entries()) {
    const values = [kind, item.id, position, JSON.stringify(item)];
    storage.sql.exec("INSERT INTO resource (kind, id, position, body) VALUES (?, ?, ?, ?)", ...values);
  }
  await restart();
}

const archive = (lives: Lives) =>
  lives.run("update_feature_flag_status", { params: { id: "flg_Page" }, body: { status: "archived" } });

it("warns once of an active experiment that a change makes invalid, on the queue and on the console", () =>
  withLives(async (lives) => {
    await setUp(lives);
    await lives.commit();
    expect(lives.queue.sent).toEqual([]);
    await archive(lives);
    await lives.commit();
    const entry = {
      log_id: expect.any(String),
      date: "2030-01-01T00:00:00.000Z",
      type: "w",
      description: expect.stringMatching(
        /^Experiment "Page test" \(exp_Page\) is active but no longer valid: feature_flag_not_active: /,
      ),
      tenant_name: "acme",
      hostname: "admin.example.com",
      details: { code: "experiment_invalidated" },
    };
    expect(lives.queue.sent).toEqual([{ kind: "log", entry }]);
    expect(lives.warned.map((line) => JSON.parse(line))).toEqual([entry]);
  }));

it("warns when the limit of active experiments has been lowered since the last commit", () =>
  withLives(async (lives) => {
    await setUp(lives);
    const second = experiment({ id: "exp_Second", name: "Second" });
    const other = flag({ id: "flg_Other", key: "other", name: "Other" });
    const own = variations.map((one) => ({ ...one, id: `${one.id}2`, feature_flag_id: other.id }));
    const allocations = second.allocations.map((one) => ({ ...one, variation_id: `${one.variation_id}2` }));
    for (const [kind, item] of [
      ["feature_flag", other],
      ...own.map((one) => ["variation", one] as const),
      ["experiment", { ...second, feature_flag_id: other.id, allocations }],
    ] as const) {
      lives.storage.sql.exec(
        "INSERT INTO resource (kind, id, position, body) VALUES (?, ?, 99, ?)",
        kind,
        item.id,
        JSON.stringify(item),
      );
    }
    await lives.restart();
    const create = { body: { name: "Anyone", rules: [{ match: { country: ["CH"] } }] } };
    await lives.run("create_segment", create, 2);
    expect(lives.queue.sent).toEqual([]);
    await lives.commit();
    expect(lives.queue.sent).toMatchObject([{ entry: { description: expect.stringContaining("exp_Second") } }]);
  }));

describe.each<Mode>(["fail", "throw", "hang", "vanish"])("while the queue's calls %s", (mode) => {
  it("holds up no snapshot, and delivers once it is back", () =>
    withLives(async (lives) => {
      const { kv, queue, pass, restart } = lives;
      await setUp(lives);
      queue.mode = mode;
      await archive(lives);
      await pass(1_000);
      await lives.commit();
      await pass(1_000);
      expect(kv.held()?.version).toBe(2);
      await pass(60 * minute);
      await restart();
      queue.mode = "work";
      await pass(2 * minute);
      const ids = new Set(queue.sent.map((message) => (message.kind === "log" ? message.entry.log_id : "")));
      expect(ids.size).toBe(1);
      expect([...lives.storage.sql.exec("SELECT * FROM pending_entry")]).toEqual([]);
      expect(lives.alarmAt()).toBeNull();
    }));

  it("is held up by no snapshot", () =>
    withLives(async (lives) => {
      await setUp(lives);
      lives.kv.mode = mode;
      await archive(lives);
      expect(lives.queue.sent).toHaveLength(1);
    }));
});

it("drops an entry that cannot be read, and sends the others", () =>
  withLives(async (lives) => {
    await setUp(lives);
    lives.storage.sql.exec("INSERT INTO pending_entry (entry) VALUES ('{')");
    await archive(lives);
    expect(lives.queue.sent).toHaveLength(1);
    expect([...lives.storage.sql.exec("SELECT * FROM pending_entry")]).toEqual([]);
  }));
