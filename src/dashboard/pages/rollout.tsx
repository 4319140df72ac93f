/** Changes how a flag is rolled out. */
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { conditionOperators, type Rollout } from "../../model/rollout.ts";
import type { Segment } from "../../model/segment.ts";
import type { Variation } from "../../model/variation.ts";
import { pageAt } from "../address.ts";
import { choices, type Field, named, type Option } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import { variationsOn } from "../lookups.ts";
import type { Handler } from "../visit.ts";
import { readFlag, under } from "./flag.tsx";
import { rolloutValues, shapeRollout } from "./rollout-shape.ts";

const percentage: Field = { kind: "number", name: "percentage", label: "Percent of them", optional: true };

const conditions: Field = {
  kind: "rows",
  name: "any",
  label: "Or conditions of its own",
  hint: "Instead of a segment: any of these has to hold, and of each all.",
  one: "alternative",
  columns: [
    {
      kind: "rows",
      name: "all",
      label: "Conditions",
      one: "condition",
      least: 1,
      columns: [
        { kind: "text", name: "selector", label: "Of", hint: "Such as user.country, or user.user_properties.plan." },
        { kind: "choice", name: "op", label: "Operator", options: choices(conditionOperators) },
        { kind: "lines", name: "values", label: "Values", hint: "One a line." },
      ],
    },
  ],
};

function fieldsOf(variations: readonly Variation[], segments: readonly Option[]): Field[] {
  const nameOf = (place: number) => variations[place]?.name ?? "";
  const keys = variations.map(({ key }) => key);
  const ofEach = { kind: "rows", one: "variation", keys, heading: nameOf } as const;
  const weights: Field = {
    ...ofEach,
    name: "weights",
    label: "Shares",
    hint: "Relative to their sum; empty for none.",
    columns: [{ kind: "number", name: "weight", label: "Weight", optional: true }],
  };
  return [
    {
      kind: "choice",
      name: "bucketing_key",
      label: "By",
      options: choices(["device_id", "user_id"], { device_id: "Device", user_id: "User" }),
      empty: "device, unless said",
      optional: true,
    },
    {
      kind: "text",
      name: "bucketing_salt",
      label: "Salt",
      hint: "The flag’s id unless set. Another salt gives everyone their variation anew.",
      optional: true,
    },
    {
      kind: "check",
      name: "sticky_bucketing",
      label: "Sticky: whoever has a variation keeps it, whatever the rules become",
    },
    {
      kind: "rows",
      name: "dependencies",
      label: "Needs of other flags",
      hint: "Who does not get one of these variations of each flag gets nothing of this one.",
      one: "flag",
      columns: [
        { kind: "text", name: "name", label: "Key of the flag" },
        { kind: "lines", name: "allowed", label: "Keys of its variations", hint: "One a line." },
      ],
    },
    {
      ...ofEach,
      name: "inclusions",
      label: "Inclusions",
      hint: "Who gets a variation whatever the rest says. They are left out of statistics.",
      columns: [
        { kind: "lines", name: "user_ids", label: "User ids", hint: "One a line." },
        {
          kind: "lines",
          name: "device_ids",
          label: "Device ids",
          hint: "One a line: the vst_did cookie’s value, or an id of your own.",
        },
      ],
    },
    {
      kind: "rows",
      name: "targeting",
      label: "Targets",
      hint: "Asked from top to bottom; the first that matches decides. An active experiment takes their place.",
      one: "target",
      columns: [
        { kind: "text", name: "name", label: "Name" },
        { kind: "choice", name: "segment_id", label: "Segment", options: segments, empty: "none", optional: true },
        percentage,
        weights,
        conditions,
      ],
    },
    {
      kind: "number",
      name: "all_users.percentage",
      label: "Everyone else: percent of them",
      hint: "Whom no target matched. Empty for nobody.",
      optional: true,
    },
    { ...weights, name: "all_users.weights", label: "Everyone else: shares" },
  ];
}

export const editRollout: Handler = async (visit) => {
  const flag = await readFlag(visit);
  const [variations, { items: segments }] = await Promise.all([
    variationsOn(visit.api, flag.id),
    visit.api.all<Segment>("/segments", "segments"),
  ]);
  const page = pageAt`/flags/${flag.id}`;
  const rollout: Rollout = flag.rollout ?? {};
  return formPage<FeatureFlag>(visit, {
    title: "Rollout",
    under: [...under, [page, flag.name]],
    lead: (
      <p class="quiet">
        Who gets which variation without an experiment. What the flag needs, inclusions and stickiness hold in
        experiments on it too.
      </p>
    ),
    fields: fieldsOf(variations, named(segments)),
    values: rolloutValues(rollout, variations),
    action: "Save",
    shape: shapeRollout,
    seen: flag.updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/feature-flags/${flag.id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};
