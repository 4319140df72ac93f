/** Flags of every kind before an app: support for tests in workerd. */
import { experiment, flag, segment, variation, variations } from "../../model/resources.ts";
import { everywhere, type FetchStage } from "./stage.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
export type Json = any;

const rolledOut = flag({
  id: "flg_Rolled",
  key: "rolled",
  name: "Rolled",
  deployments: everywhere,
  rollout: { all_users: { percentage: 100, weights: { on: 1 } } },
});
const targeted = flag({
  id: "flg_Targeted",
  key: "targeted",
  name: "Targeted",
  deployments: everywhere,
  rollout: {
    sticky_bucketing: true,
    inclusions: { on: { user_ids: ["boss"], device_ids: [] } },
    targeting: [
      { name: "Phones", segment_id: "seg_phones", percentage: 100, weights: { on: 1 } },
      {
        name: "Gold",
        conditions: [[{ selector: ["context", "user", "user_properties", "plan"], op: "is", values: ["gold"] }]],
        percentage: 100,
        weights: { other: 1 },
      },
    ],
  },
});

/** `page` has an active experiment; `idle` is a draft; `elsewhere` is enabled in no deployment. */
export const ofApps = {
  feature_flags: [
    flag({ deployments: everywhere }),
    rolledOut,
    targeted,
    flag({ id: "flg_Idle", key: "idle", name: "Idle", status: "draft", deployments: everywhere }),
    flag({ id: "flg_Other", key: "elsewhere", name: "Elsewhere", rollout: rolledOut.rollout ?? {} }),
  ],
  variations: [
    ...variations,
    ...["flg_Rolled", "flg_Targeted", "flg_Other"].flatMap((id) =>
      ["on", "other"].map((key) => variation(key, { id: `var_${id.slice(4)}${key}`, feature_flag_id: id })),
    ),
  ],
  segments: [segment("phones", [{ match: { device_type: ["mobile"], country: ["DE"] } }])],
  experiments: [experiment()],
};

export interface Answered {
  response: Response;
  status: number;
  body: Json;
}

type Init = NonNullable<Parameters<FetchStage["ask"]>[1]>;

export async function ask(stage: FetchStage, path: string, init: Init = {}): Promise<Answered> {
  const response = await stage.ask(path, init);
  const text = await response.text();
  return { response, status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** `body` as JSON, unless it is text. */
export function send(stage: FetchStage, path: string, body: unknown, init: Init = {}): Promise<Answered> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json", ...(init.headers as Record<string, string> | undefined) };
  return ask(stage, path, { method: "POST", ...init, body: text, headers });
}

export const shown = ({ body }: Pick<Answered, "body">, key: string): Json =>
  body.assignments.find((each: Json) => each.key === key);
