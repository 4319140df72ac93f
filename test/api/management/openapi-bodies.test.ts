/** What the document allows in a body is what the API takes, and a form may say it as well. */
import fc from "fast-check";
import * as v from "valibot";
import { beforeAll, describe, expect, it } from "vitest";
import type { Operation } from "../../../src/api/management/operation.ts";
import { operations } from "../../../src/api/management/operations.ts";
import { type Client, createClient } from "../client.ts";
import { allows, documentedOperation, documentedOperations, through } from "../conformance.ts";
import { walk } from "../walk/all.ts";
import { runOf } from "../walk/walk.ts";

const known: Readonly<Record<string, Operation>> = operations;
const withBody = documentedOperations.filter(({ body }) => body !== undefined);
/** The import reads its document by itself. */
const checked = withBody.filter(({ id }) => known[id]?.body?.type !== "unknown");

const successOf = (id: string) => Object.entries(walk[id] ?? {}).find(([key]) => /^2\d\d$/.test(key));

/** By operation, bodies that it took. */
const taken = new Map<string, unknown[]>();
beforeAll(async () => {
  for (const { id } of checked) {
    const [, found] = successOf(id) ?? [];
    if (found === undefined) throw new Error(`test/api/walk has no success of ${id}`);
    const client = createClient();
    const send: Client["send"] = (method, path, body, headers) => {
      const operation = documentedOperation(method, path);
      if (operation?.body !== undefined) taken.set(operation.id, [...(taken.get(operation.id) ?? []), body]);
      return client.send(method, path, body, headers);
    };
    await runOf(found).run(through(client, send));
  }
});

/** Values at which schemas part. */
const values = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      "",
      "x",
      "ab",
      "abc",
      " abc",
      "abc ",
      "a\nb",
      "x".repeat(255),
      "x".repeat(256),
      "x".repeat(1024),
      "👋👋👋",
      "👋👋",
    ],
    ...["flg_1", "flg_0", "flg_", "var_2x", "off", "draft", "active", "percentage", "client", "read:experimentation"],
    ...["2030-01-31T12:00:00Z", "2030-01-31T12:00:00.123+01:00", "2030-01-31", "12:00", "2030-13-31T12:00:00Z"],
    ...[0, 1, 1.5, -1, 100, 101, 1e21, true, false, null, [], {}, [[]], [""], ["x"], { value: 1 }, { type: "string" }],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

type Json = { [key: string]: Json } | Json[] | string | number | boolean | null;

function pathsIn(value: unknown): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [[]];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [[], ...entries.flatMap(([key, inner]) => pathsIn(inner).map((path) => [key, ...path]))];
}

/** @param edit what to do with the member that `path` ends in */
function edited(
  value: Json,
  path: (string | number)[],
  edit: (owner: Record<string, Json>, key: string) => void,
): Json {
  const root = { body: structuredClone(value) };
  let owner = root as unknown as Record<string, Json>;
  const keys = ["body", ...path.map(String)];
  const last = keys.pop() as string;
  for (const key of keys) owner = owner[key] as Record<string, Json>;
  edit(owner, last);
  return root.body ?? null;
}

/** A body that the operation took, with one to three members replaced, removed or added. */
const bodies = (samples: Json[]) =>
  fc
    .tuple(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("replace", "remove", "add"), values), { minLength: 1, maxLength: 3 }),
    )
    .map(([sample, edits]) =>
      edits.reduce((body, [place, kind, value]) => {
        const paths = pathsIn(body);
        const path = paths[place % paths.length] ?? [];
        return edited(body, path, (owner, key) => {
          const member = owner[key];
          if (kind === "remove") Array.isArray(owner) ? owner.splice(Number(key), 1) : delete owner[key];
          else if (kind === "add" && Array.isArray(member)) member.push(value as Json);
          else if (kind === "add" && typeof member === "object" && member !== null)
            (member as Record<string, Json>).added = value as Json;
          else owner[key] = value as Json;
        });
      }, sample),
    );

/** Whether something is wrong that JSON Schema could say. */
function isSayable(issues: readonly v.BaseIssue<unknown>[]): boolean {
  return issues.some(({ type }) => type !== "check");
}

describe.each(checked.map((operation) => [operation.id, operation] as const))("%s", (id, operation) => {
  it("takes what the document allows, and nothing that it does not", () => {
    const schema = known[id]?.body as v.GenericSchema;
    const samples = (taken.get(id) ?? []).map((body) => JSON.parse(JSON.stringify(body)));
    expect(samples.filter((body) => !allows(operation, body) || !v.is(schema, body))).toEqual([]);
    return fc.assert(
      fc.property(bodies(samples), (body) => {
        const { success, issues = [] } = v.safeParse(schema, body);
        const isAllowed = allows(operation, body);
        if (success) expect(isAllowed, JSON.stringify(body)).toBe(true);
        else if (isSayable(issues)) expect(isAllowed, `${issues[0]?.message} ${JSON.stringify(body)}`).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

/** `allocations[0][weight]=50`; what has no members is written as JSON. */
function pairsOf(value: unknown, name: string): [string, string][] {
  if (value === null) return [[name, ""]];
  if (typeof value !== "object") return [[name, String(value)]];
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  if (entries.length === 0) return [[name, JSON.stringify(value)]];
  return entries.flatMap(([key, member]) => pairsOf(member, name === "" ? key : `${name}[${key}]`));
}

it.each(withBody.map(({ id }) => id))("%s takes a form", async (id) => {
  const [status, found] = successOf(id) ?? [];
  if (found === undefined) throw new Error(`test/api/walk has no success of ${id}`);
  const client = createClient();
  const send: Client["send"] = (method, path, body, headers) =>
    body === undefined
      ? client.send(method, path, body, headers)
      : client.send(method, path, new URLSearchParams(pairsOf(body, "")).toString(), {
          ...headers,
          "content-type": "application/x-www-form-urlencoded",
        });
  const answer = await runOf(found).run(through(client, send));
  expect(String(answer.status), answer.text).toBe(status);
});
