/** Makes and changes experiments. */
import { type Experiment, maxAllocations } from "../../model/experiment.ts";
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { authenticationFlow } from "../../model/flow.ts";
import type { PresentedExperiment } from "../../model/present-experiment.ts";
import type { Segment } from "../../model/segment.ts";
import type { Variation } from "../../model/variation.ts";
import { pageAt } from "../address.ts";
import { choices, descriptionField, type Field, named, nameField, type Option } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import type { Read } from "../forms/read-form.ts";
import { valuesOf } from "../forms/values.ts";
import { variationsOn } from "../lookups.ts";
import { Head, listsUnder } from "../parts/head.tsx";
import type { Handler, Reply, Visit } from "../visit.ts";
import { evenWeights, experimentValues, shapeExperiment } from "./experiment-shape.ts";

const under = [listsUnder.experiments];

type Strategy = Experiment["allocation_strategy"];

const flowField: Field = {
  kind: "choice",
  name: "authentication_flow",
  label: "Flow",
  options: choices(authenticationFlow.options),
};
const subjectField: Field = {
  kind: "choice",
  name: "subject",
  label: "Who is told apart",
  hint: "Before log-in only the device is known.",
  options: choices(["device", "user"], { device: "Devices", user: "Users, after log-in" }),
};
const levelsField: Field = {
  kind: "text",
  name: "levels",
  label: "Ramp",
  hint: "Percentages to go up through, such as 5, 25, 100. Empty: everyone takes part from the start.",
  short: true,
  optional: true,
};
const saltField: Field = {
  kind: "text",
  name: "bucketing_salt",
  label: "Salt",
  hint: "The experiment’s id unless set. The same salt elsewhere puts the same visitors together.",
  optional: true,
};
const statefulField: Field = {
  kind: "check",
  name: "is_stateful",
  label: "Whoever has a variation keeps it, whatever the allocations become",
};

function allocationFields(strategy: Strategy, variations: readonly Variation[], segments: readonly Option[]): Field[] {
  const options = named(variations);
  const control: Field = {
    kind: "choice",
    name: "control",
    label: "Control",
    hint: "What the others are compared with.",
    options,
    empty: "none yet",
    optional: true,
  };
  if (strategy === "percentage") {
    return [
      {
        kind: "rows",
        name: "allocations",
        label: "Allocations",
        hint: "Whole percents, 100 together. Empty for a variation that has no part in it.",
        one: "variation",
        keys: variations.map(({ id }) => id),
        heading: (place) => variations[place]?.name ?? "",
        columns: [{ kind: "number", name: "weight", label: "Percent", optional: true }],
      },
      control,
    ];
  }
  return [
    {
      kind: "rows",
      name: "allocations",
      label: "Allocations",
      hint: `Asked from top to bottom: the first segment that matches decides. At most ${maxAllocations}.`,
      one: "segment",
      least: 1,
      columns: [
        {
          kind: "choice",
          name: "segment_id",
          label: "Who is in",
          options: segments,
          empty: "no segment",
          optional: true,
        },
        { kind: "choice", name: "variation_id", label: "gets", options },
      ],
    },
    { kind: "choice", name: "fallback", label: "Everyone else gets", options, empty: "nothing yet", optional: true },
    control,
  ];
}

async function segmentOptions({ api }: Visit, strategy: Strategy): Promise<Option[]> {
  return strategy === "segment" ? named((await api.all<Segment>("/segments", "segments")).items) : [];
}

export const newExperiment: Handler = async (visit) => {
  const { searchParams } = visit.url;
  const flagId = searchParams.get("flag");
  if (!flagId) return chooseFlag(visit);
  const strategy: Strategy = searchParams.get("strategy") === "segment" ? "segment" : "percentage";
  const [flag, variations, segments] = await Promise.all([
    visit.api.get<FeatureFlag>(`/feature-flags/${encodeURIComponent(flagId)}`),
    variationsOn(visit.api, flagId),
    segmentOptions(visit, strategy),
  ]);
  const weights = evenWeights(variations.length);
  const here = `${pageAt`/experiments/new`}?flag=${encodeURIComponent(flagId)}`;
  return formPage<PresentedExperiment>(visit, {
    title: `New experiment on “${flag.name}”`,
    under,
    lead: (
      <p class="quiet">
        {strategy === "percentage" ? (
          <>
            Split by chance. Or <a href={`${here}&strategy=segment`}>give segments a variation each</a>.
          </>
        ) : (
          <>
            Each segment gets a variation whole. Or <a href={here}>split by chance</a>.
          </>
        )}
      </p>
    ),
    fields: [
      nameField,
      descriptionField,
      flowField,
      ...allocationFields(strategy, variations, segments),
      ...(strategy === "percentage" ? [levelsField] : []),
      subjectField,
      statefulField,
      saltField,
    ],
    values: valuesOf({
      authentication_flow: "authentication",
      subject: "device",
      control: variations[0]?.id,
      fallback: variations[0]?.id,
      allocations:
        strategy === "percentage" ? variations.map(({ id }, place) => ({ key: id, weight: weights[place] })) : [],
    }),
    action: "Make the experiment",
    shape: (read) => asNew(shapeExperiment(strategy)(read), flagId, strategy),
    cancel: listsUnder.experiments[0],
    send: (body) => visit.api.send("POST", "/experiments", body),
    done: ({ id }) => ({ to: `${pageAt`/experiments/${id}`}?done=made` }),
  });
};

/** What a new one leaves out where nothing was written. */
function asNew({ body, ...rest }: Read, flagId: string, strategy: Strategy): Read {
  const { levels, is_stateful, ...own } = body;
  return {
    ...rest,
    body: {
      ...own,
      feature_flag_id: flagId,
      allocation_strategy: strategy,
      ...(levels.length > 0 ? { levels } : {}),
      ...(is_stateful ? { is_stateful } : {}),
    },
  };
}

/** Which flag it is on cannot be changed later, and says what can be allocated. */
async function chooseFlag(visit: Visit): Promise<Reply> {
  const { items, isWhole } = await visit.api.all<FeatureFlag>("/feature-flags", "feature_flags");
  const flags = items.filter(({ status }) => status !== "archived");
  const body = (
    <>
      <Head title="New experiment" under={under}>
        <p class="lead quiet">An experiment gives visitors one variation or another of a feature flag.</p>
      </Head>
      {flags.length === 0 ? (
        <p>
          There is no feature flag yet: <a href={pageAt`/flags/new`}>make one first</a>.
        </p>
      ) : (
        <form class="edit">
          <div class="field">
            <label for="flag">Feature flag</label>
            {!isWhole && <p class="hint">The first {items.length}; any other has a link on its own page.</p>}
            <select id="flag" name="flag">
              {flags.map(({ id, name, status }) => (
                <option value={id}>{status === "active" ? name : `${name} (${status})`}</option>
              ))}
            </select>
          </div>
          <fieldset>
            <legend>Who gets what</legend>
            <div class="choice">
              <input type="radio" id="by-chance" name="strategy" value="percentage" checked />
              <label for="by-chance">Split by chance, in percentages</label>
            </div>
            <div class="choice">
              <input type="radio" id="by-segment" name="strategy" value="segment" />
              <label for="by-segment">Each segment gets a variation of its own</label>
            </div>
          </fieldset>
          <p>
            <button type="submit" class="primary">
              Go on
            </button>
          </p>
        </form>
      )}
    </>
  );
  return { title: "New experiment", body };
}

export const readExperiment = ({ api, params }: Visit) =>
  api.get<PresentedExperiment>(`/experiments/${encodeURIComponent(params.id ?? "")}`);

export const editExperiment: Handler = async (visit) => {
  const experiment = await readExperiment(visit);
  const { id, name, allocation_strategy: strategy, editable_fields, updated_at, status } = experiment;
  const [ofFlag, segments] = await Promise.all([
    variationsOn(visit.api, experiment.feature_flag_id),
    segmentOptions(visit, strategy),
  ]);
  const variations = asAllocated(ofFlag, experiment);
  const page = pageAt`/experiments/${id}`;
  const may = new Set<string>(editable_fields);
  const fields: Field[] = [
    nameField,
    descriptionField,
    ...(may.has("authentication_flow") ? [flowField] : []),
    ...(may.has("allocations") ? allocationFields(strategy, variations, segments) : []),
    ...(may.has("levels") && strategy === "percentage" ? [levelsField] : []),
    ...(may.has("assignment_config") ? [subjectField] : []),
    ...(may.has("bucketing_salt") ? [saltField] : []),
  ];
  return formPage<PresentedExperiment>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, name]],
    lead: <Locked status={status} page={page} />,
    fields,
    values: experimentValues(
      experiment,
      variations.map((one) => one.id),
    ),
    action: "Save",
    shape: (read) => {
      const { body, ...rest } = shapeExperiment(strategy)(read);
      return { ...rest, body: Object.fromEntries(Object.entries(body).filter(([field]) => may.has(field))) };
    },
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/experiments/${id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};

/** In the order of the allocations, which the split goes by: to change a weight must move nobody but for that. */
function asAllocated(variations: readonly Variation[], { allocations }: Experiment): Variation[] {
  const placeOf = ({ id }: Variation) => {
    const place = allocations.findIndex(({ variation_id }) => variation_id === id);
    return place < 0 ? allocations.length : place;
  };
  return variations.toSorted((a, b) => placeOf(a) - placeOf(b));
}

function Locked({ status, page }: { status: Experiment["status"]; page: string }) {
  if (status === "draft") return null;
  if (status === "active") {
    return (
      <p class="notice">
        Who gets what cannot be changed while it is active: <a href={`${page}/status?to=paused`}>pause it</a> first.
      </p>
    );
  }
  if (status !== "paused") return <p class="quiet">It keeps the split that it ran with.</p>;
  return (
    <p class="notice warn">
      A change of the split begins a new epoch: those who come anew are counted apart from those before.
    </p>
  );
}
