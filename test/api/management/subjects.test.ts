import { beforeEach, expect, it } from "vitest";
import { createUnits } from "../../../src/assignment/unit.ts";
import { createDelivery } from "../../../src/ledger/delivery.ts";
import { countsOf } from "../../../src/ledger/reader.ts";
import { logbookOf } from "../../../src/logs/record.ts";
import { readSettings } from "../../../src/settings.ts";
import { assigned, exposed, identified } from "../../ledger/events.ts";
import { entry } from "../../logs/entry.ts";
import { type Client, createClient } from "../client.ts";

let client: Client;
let phone: string;
let anna: string;

beforeEach(async () => {
  client = createClient();
  const { tenant, env } = client;
  const { unitKey } = readSettings(env);
  if (unitKey === null) throw new Error("no key");
  const units = createUnits(unitKey, (_, call) => call());
  phone = await units.unitOf(tenant, "device", "a-phone");
  anna = await units.unitOf(tenant, "user", "auth0|anna");
  const events = [
    assigned(phone),
    exposed(phone),
    identified(phone, anna),
    assigned("other"),
    identified("other", anna),
  ];
  await createDelivery(env)(
    tenant,
    events.map((each) => ({ ...each, tenant })),
  );
  await logbookOf(env, tenant).record([
    entry({ log_id: "1", tenant_name: tenant, date: new Date().toISOString(), user_id: "auth0|anna" }),
    entry({ log_id: "2", tenant_name: tenant, date: new Date().toISOString() }),
  ]);
});

const counts = async () => {
  const { cells, links } = (await countsOf(client.env, client.tenant, "exp_1")).counts;
  return [cells.reduce((sum, cell) => sum + cell.assigned, 0), links.reduce((sum, link) => sum + link.users, 0)];
};
const forget = async (query: string) => (await client.send("DELETE", `/subjects?${query}`)).body;

it("forgets a device with its links, a user with their log, and says what there was", async () => {
  expect(await counts()).toEqual([2, 1]);
  expect(await forget("device_id=a-phone")).toEqual({ units: 1, links: 1, log_entries: 0 });
  expect(await counts()).toEqual([1, 1]);
  expect(await forget("user_id=auth0%7Canna")).toEqual({ units: 1, links: 0, log_entries: 1 });
  expect(await counts()).toEqual([1, 0]);
  expect(await forget("user_id=auth0%7Canna&device_id=a-phone")).toEqual({ units: 0, links: 0, log_entries: 0 });
  expect((await client.get("/logs")).map(({ log_id }: { log_id: string }) => log_id)).toEqual(["2"]);
});

it("finds a device by its cookie, and refuses what is no device id", async () => {
  const cookie = `AbCdEfGhIjKlMnOpQrSt_w${(20_500).toString(36)}.k1.${"m".repeat(43)}`;
  const { unitKey } = readSettings(client.env);
  if (unitKey === null) throw new Error("no key");
  const unit = await createUnits(unitKey, (_, call) => call()).unitOf(
    client.tenant,
    "device",
    "AbCdEfGhIjKlMnOpQrSt_w",
  );
  await createDelivery(client.env)(client.tenant, [{ ...assigned(unit), tenant: client.tenant }]);
  const cut = await forget(`device_id=${cookie.slice(0, 40)}`);
  expect(cut).toMatchObject({ statusCode: 400, errorCode: "invalid_query_string" });
  expect(cut.message).toContain("device_id: must be the vst_did cookie's value");
  expect(await forget(`device_id=__Host-vst_did%3D${cookie}`)).toMatchObject({ units: 1 });
  expect(await forget("device_id=AbCdEfGhIjKlMnOpQrSt_w")).toMatchObject({ units: 0 });
});

it("asks who is meant, and for the scope to delete", async () => {
  expect(await forget("")).toMatchObject({ statusCode: 400, errorCode: "invalid_query_string" });
  expect(await forget("device_id=")).toMatchObject({ statusCode: 400 });
  expect(await forget("session_id=1")).toMatchObject({ statusCode: 400 });
  const { token } = await client.post("/tokens", {
    name: "reader",
    scopes: ["read:experimentation", "create:experimentation"],
  });
  const reader = await client.send("DELETE", "/subjects?device_id=a-phone", undefined, {
    authorization: `Bearer ${token}`,
  });
  expect(reader.body).toMatchObject({ statusCode: 403 });
  expect(await counts()).toEqual([2, 1]);
});
