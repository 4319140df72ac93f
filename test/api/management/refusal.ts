/** Support for tests of the management API's rules. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { type ManagementCode, problems } from "../../../src/model/problem.ts";
import type { Answer, Client } from "../client.ts";

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
};

/** Expects the whole body of a refusal; a message says its title and at least what `says` asks for. */
export function expectRefusal(answer: Answer, status: number, code: ManagementCode, says: RegExp = /./): void {
  expect(answer.body).toEqual({
    statusCode: status,
    error: reasons[status],
    message: expect.stringMatching(says),
    errorCode: code,
  });
  expect(answer.status).toBe(status);
  expect(answer.body.message.startsWith(problems[code].title)).toBe(true);
}

/** Replaces a resource by one that the API would not make. */
export async function plant(client: Client, kind: string, item: { id: string }): Promise<void> {
  const control = client.control();
  await runInDurableObject(control, async (_, { storage }) => {
    storage.sql.exec("UPDATE resource SET body = ? WHERE kind = ? AND id = ?", JSON.stringify(item), kind, item.id);
    await storage.sync();
  });
  await evictDurableObject(control);
}
