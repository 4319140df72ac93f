/** The size of a config up to which validation promises that it is stamped. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { maxStampedConfigCharacters } from "../../src/model/check/warn-experiment.ts";
import { newId } from "../../src/model/ids.ts";
import { experiment, flag, segment, variation } from "../model/resources.ts";
import { clearStores, createStage, navigation, publish } from "./stage.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

const bytes = (value: number) => new Uint8Array(16).fill(value);
const [control, treatment, segmentId] = [newId("var", bytes(1)), newId("var", bytes(2)), newId("seg", bytes(3))];

/** Base64url makes four characters of three bytes. */
function configOf(characters: number) {
  const frame = JSON.stringify({ title: "" }).length;
  return { title: "x".repeat((characters * 3) / 4 - frame) };
}

async function stampOf(characters: number) {
  const stage = createStage({ tenant: { hosts: ["login.example.com"] } });
  const onFlag = flag({
    id: newId("flg", bytes(4)),
    key: "universal_login_page_redesign",
    deployments: ["gate"],
    parameters: { title: { type: "string", value: "" } },
  });
  const of = { feature_flag_id: onFlag.id };
  const large = { title: { value: configOf(characters).title } };
  await publish({
    feature_flags: [onFlag],
    variations: [
      variation("control", { ...of, id: control }),
      variation("treatment", { ...of, id: treatment, overrides: large }),
    ],
    segments: [segment("Everyone", [{ match: { device_type: ["desktop"] } }], { id: segmentId })],
    experiments: [
      experiment({
        ...of,
        id: newId("exp", bytes(5)),
        allocation_strategy: "segment",
        allocations: [
          { variation_id: treatment, is_control: false, segment_id: segmentId, priority: 1 },
          { variation_id: control, is_control: true, is_fallback: true },
        ],
      }),
    ],
  });
  await stage.send(navigation());
  const { headers } = stage.origin.seen[0] as NonNullable<(typeof stage.origin.seen)[0]>;
  return { config: headers.get("x-experiment-config"), variationId: headers.get("x-experiment-variation-id") };
}

it("stamps a config of exactly the size that validation allows", async () => {
  const { config, variationId } = await stampOf(maxStampedConfigCharacters);
  expect(variationId).toBe(treatment);
  expect(config).toHaveLength(maxStampedConfigCharacters);
});

it("leaves a config that fits no more out of every variation, and stamps their ids", async () => {
  const { config, variationId } = await stampOf(4_000);
  expect(variationId).toBe(treatment);
  expect(config).toBeNull();
});
