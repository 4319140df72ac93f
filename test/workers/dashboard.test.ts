import { createExecutionContext } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { Dashboard } from "../../src/workers/dashboard.ts";
import { Management } from "../../src/workers/management.ts";
import { createClient } from "../api/client.ts";
import { createVisitor } from "../dashboard/visitor.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A visitor of a dashboard whose management API is asked through `open`. */
function visitThrough(open: Management["open"]) {
  const client = createClient();
  client.env.DASHBOARD = new Dashboard(createExecutionContext(), { ...client.env, MANAGEMENT: { open } });
  return createVisitor(client);
}

it("calls the management API once a page, however much the page asks", async () => {
  const { env } = createClient();
  const management = new Management(createExecutionContext(), env);
  const dispose = vi.fn();
  let asked = 0;
  const open = vi.fn((variables) => {
    const conversation = management.open(variables);
    const answer = (request: Request) => {
      asked++;
      return conversation.answer(request);
    };
    return { answer, [Symbol.dispose]: dispose } as never;
  });
  const visitor = visitThrough(open);
  await visitor.signIn();
  const before = [open.mock.calls.length, asked] as const;
  expect((await visitor.look("/_vestibule/")).status).toBe(200);
  expect(open.mock.calls.length - before[0]).toBe(1);
  expect(asked - before[1]).toBeGreaterThan(4);
  expect(dispose).toHaveBeenCalledTimes(open.mock.calls.length);
  await visitor.look("/_vestibule/assets/style.css");
  expect(dispose).toHaveBeenCalledTimes(before[0] + 1);
});

it("says so where the management API cannot be reached", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  const visitor = visitThrough(() => {
    throw new Error("no such Worker");
  });
  const shown = await visitor.signIn();
  expect(shown.status).toBe(503);
  expect(shown.text).toContain("The control plane cannot be reached");
  expect(error).toHaveBeenCalledWith(expect.stringContaining("no such Worker"));
});
