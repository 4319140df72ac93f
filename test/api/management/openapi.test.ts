/** The document and the API say the same: every operation, brought to give every answer that is documented. */
import { describe, expect, it } from "vitest";
import { createClient } from "../client.ts";
import { commonCodes, conforming, documentedCodes, documentedOperation, documentedOperations } from "../conformance.ts";
import { walk } from "../walk/all.ts";
import { runOf } from "../walk/walk.ts";

describe.each(documentedOperations.map((operation) => [operation.id, operation] as const))("%s", (id, operation) => {
  const { responses } = operation;
  const successes = Object.keys(responses).filter((status) => Number(status) < 300);
  const own = documentedCodes(operation).filter(({ code }) => !commonCodes.has(code));
  const expected = [...successes.map((status) => ({ status: Number(status), code: status })), ...own];

  it.each(expected.map(({ status, code }) => [code, status] as const))("may answer %s", async (code, status) => {
    const found = walk[id]?.[code];
    if (found === undefined) throw new Error(`test/api/walk has no case of ${id} that answers ${code}`);
    const { tenant, run } = runOf(found);
    const exchanges: string[] = [];
    const client = conforming(createClient({ tenant }), (method, path) =>
      exchanges.push(documentedOperation(method, path)?.id ?? "none"),
    );
    const answer = await run(client);
    expect(exchanges.at(-1)).toBe(id);
    expect([answer.status, answer.body?.errorCode], answer.text).toEqual([status, status < 300 ? undefined : code]);
  });

  it("answers nothing else that is known", () => {
    expect(Object.keys(walk[id] ?? {}).sort()).toEqual(expected.map(({ code }) => code).sort());
  });
});
