/** The Workers behind log-ins, called as they are deployed: what HTTP allows must survive the call between them. */
import { afterAll, expect, it } from "vitest";
import { startLocal } from "../../scripts/local.ts";
import { adminVars } from "./managed.ts";
import { sendRaw } from "./raw-client.ts";

const key = "A".repeat(43);
const worker = await startLocal({
  port: 0,
  vars: { ...adminVars, ADMIN_HOSTS: "127.0.0.1", COOKIE_KEYS: `k1:${key}`, STAMP_KEY: key },
});
afterAll(() => worker.close());

const authorization = `Authorization: Bearer ${adminVars.ADMIN_TOKEN}\r\n`;

async function ask(method: string, path: string, fields = "", body = "") {
  const { host } = new URL(worker.directUrl);
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${authorization}${fields}\r\n`;
  const { status, body: answered } = await sendRaw(worker.directUrl, method, head, body);
  return { status, text: answered.toString() };
}

const segments = "/api/v2/experimentation/segments";
const signIn = "/_vestibule/sign-in";

it.each([
  ["GET", segments],
  ["HEAD", segments],
  ["GET", signIn],
  ["HEAD", signIn],
])("%s %s is answered alike with a body, an empty one, and none", async (method, path) => {
  const plain = await ask(method, path);
  expect(plain.status).toBe(200);
  expect(await ask(method, path, "Content-Length: 0\r\n")).toEqual(plain);
  expect(await ask(method, path, "Content-Length: 2\r\n", "{}")).toEqual(plain);
  expect(await ask(method, path, "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")).toEqual(plain);
});

it("bodies, methods and values that are not ASCII arrive", async () => {
  const made = await ask(
    "POST",
    segments,
    "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
    '1c\r\n{"name":"Berlin","rules":[{"\r\n21\r\nmatch":{"country":["DE"]}}]}     \r\n0\r\n\r\n',
  );
  expect(made).toMatchObject({ status: 201, text: expect.stringContaining('"name":"Berlin"') });
  const { id } = JSON.parse(made.text);
  expect((await ask("DELETE", `${segments}/${id}`, "Content-Length: 2\r\n", "{}")).status).toBe(204);
  expect((await ask("PROPFIND", segments)).status).toBe(405);
  expect((await ask("GET", segments, "X-Vestibule-Tenant: \xff\r\n")).status).toBe(404);
});
