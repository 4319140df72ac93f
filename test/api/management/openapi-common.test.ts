/** What every operation refuses in the same way, whatever it does: as documented for each. */
import { expect, it, onTestFinished, vi } from "vitest";
import { scopes } from "../../../src/model/token.ts";
import { type Answer, adminHost, type Client, createClient } from "../client.ts";
import {
  commonCodes,
  conforming,
  type DocumentedOperation,
  documentedCodes,
  documentedOperations,
  isOpen,
} from "../conformance.ts";
import { createFlag } from "../experiment-stage.ts";

const withBody = documentedOperations.filter(({ body }) => body !== undefined);
const pathOf = ({ path }: DocumentedOperation) => path.replaceAll(/\{\w+\}/g, "any");

/** One request to each operation; every exchange is compared with the document. */
async function expectOfAll(
  code: string,
  send: (operation: DocumentedOperation, path: string) => Promise<Answer>,
  operations: readonly DocumentedOperation[] = documentedOperations,
): Promise<void> {
  expect(operations.length).toBeGreaterThan(10);
  for (const operation of operations) {
    const { body, text } = await send(operation, pathOf(operation));
    expect([operation.id, body?.errorCode], text).toEqual([operation.id, code]);
    expect(documentedCodes(operation).map((one) => one.code)).toContain(code);
  }
}

/** Bodies are what the operation would refuse later: none gets that far. */
const bodyFor = ({ body }: DocumentedOperation) => (body === undefined ? undefined : {});
const sendWith =
  (client: Client, headers: Record<string, string> = {}) =>
  (operation: DocumentedOperation, path: string) =>
    client.send(operation.method, path, bodyFor(operation), headers);

it("an unknown token", () => expectOfAll("invalid_token", sendWith(conforming(createClient({ token: "unknown" })))));

it("a token without the scope", async () => {
  const client = conforming(createClient());
  const tokens = new Map<string, string>();
  for (const scope of scopes) {
    const rest = scopes.filter((one) => one !== scope);
    tokens.set(scope, (await client.post("/tokens", { name: `All but ${scope}`, scopes: rest })).token);
  }
  await expectOfAll("insufficient_scope", (operation, path) =>
    sendWith(client, { authorization: `Bearer ${tokens.get(operation.scope)}` })(operation, path),
  );
});

it("a tenant that is not entitled, which alone is told why it has no traffic", () => {
  const client = conforming(createClient({ tenant: { entitled: false } }));
  const refused = documentedOperations.filter(({ id }) => id !== "get_experiment_diagnosis");
  return expectOfAll("feature_not_entitled", sendWith(client), refused);
});

it("a tenant that is not there, or not named where it must be", async () => {
  const hosts = (name: string) => [`${name}.example.com`];
  const TENANTS = JSON.stringify({ one: { hosts: hosts("one") }, two: { hosts: hosts("two") } });
  const client = conforming(createClient({ vars: { TENANTS } }));
  await expectOfAll("tenant_required", sendWith(client));
  await expectOfAll("tenant_not_found", sendWith(client, { "x-vestibule-tenant": "three" }));
  expect(hosts("one")).not.toContain(adminHost);
});

it("a query that is not known", async () => {
  const client = conforming(createClient());
  const operations = documentedOperations.filter(({ parameters }) => !parameters.some(isOpen));
  await expectOfAll(
    "invalid_query_string",
    (operation, path) => client.send(operation.method, `${path}?unknown=1`, bodyFor(operation)),
    operations,
  );
});

it("a body that is none, of an unknown type, or too large", async () => {
  const client = conforming(createClient());
  const json = { "content-type": "application/json" };
  await expectOfAll("invalid_body", ({ method }, path) => client.send(method, path, "{", json), withBody);
  await expectOfAll(
    "unsupported_media_type",
    ({ method }, path) => client.send(method, path, "{}", { "content-type": "text/plain" }),
    withBody,
  );
  const large = " ".repeat(9 * 1024 * 1024);
  await expectOfAll("body_too_large", ({ method }, path) => client.send(method, path, large, json), withBody);
});

it("too many requests at once", async () => {
  const client = conforming(createClient({ vars: { MANAGEMENT_RATE: "1" } }));
  await expectOfAll("too_many_requests", async (operation, path) => {
    for (;;) {
      const answer = await sendWith(client)(operation, path);
      if (answer.status === 429) return answer;
    }
  });
});

it("a control plane that cannot be reached", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
  const gone = { idFromName: () => "", get: () => ({ execute: () => Promise.reject(new Error("gone")) }) };
  return expectOfAll("control_unavailable", sendWith(conforming(createClient({ vars: { CONTROL: gone } }))));
});

it("a snapshot that would be too large", async () => {
  const client = conforming(createClient());
  const user_ids = Array.from({ length: 30_000 }, (_, index) => `user-${index}-of-many`);
  const rollout = {
    inclusions: { number_0: { user_ids, device_ids: [] } },
    all_users: { percentage: 1, weights: { number_0: 1 } },
  };
  const codes: string[] = [];
  for (let index = 0; index < 5 && codes.length === 0; index++) {
    const flag = await createFlag(client, { name: `Page ${index}` });
    const { status, body } = await client.send("PATCH", `/feature-flags/${flag.id}`, { rollout });
    if (status !== 200) codes.push(body.errorCode);
  }
  expect(codes).toEqual(["snapshot_too_large"]);
});

it("nothing else: every common code is shown here, or where there is an issuer or a bug", () => {
  const shown = [
    "invalid_token",
    "insufficient_scope",
    "feature_not_entitled",
    "tenant_required",
    "tenant_not_found",
    "invalid_query_string",
    "invalid_body",
    "unsupported_media_type",
    "body_too_large",
    "too_many_requests",
    "control_unavailable",
    "snapshot_too_large",
  ];
  const elsewhere = ["invalid_signature", "issuer_unavailable", "internal_error"];
  expect([...commonCodes].sort()).toEqual([...shown, ...elsewhere].sort());
});
