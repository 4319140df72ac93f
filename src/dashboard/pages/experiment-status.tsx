/** Moves an experiment on, having said what that does to whom. */
import type { ValidationWarning } from "../../model/check/warn-experiment.ts";
import type { Experiment, ExperimentTransition } from "../../model/experiment.ts";
import { currentLevel, nextLevel, segmentAllocations } from "../../model/experiment.ts";
import type { FeatureFlag } from "../../model/feature-flag.ts";
import type { PresentedExperiment, ValidationError } from "../../model/present-experiment.ts";
import { pageAt } from "../address.ts";
import { confirmPage } from "../forms/confirm-page.tsx";
import { allocationNames } from "../lookups.ts";
import { AllocationBar, type Names, nameIn, sharesOf } from "../parts/allocation.tsx";
import { listsUnder } from "../parts/head.tsx";
import { counted, numberText, percentText, type Reader, reading } from "../parts/reader.tsx";
import type { Handler, Visit } from "../visit.ts";
import { validate } from "./experiment.tsx";
import { readExperiment } from "./experiment-form.tsx";
import { Checklist } from "./validation.tsx";

type Target = ExperimentTransition["status"];

const verbs: Readonly<Record<Target, string>> = {
  active: "Activate",
  paused: "Pause",
  completed: "Complete",
  archived: "Archive",
};

export const experimentStatus: Handler = async (visit) => {
  const found = await readExperiment(visit);
  const { id, name, status } = found;
  const to = (visit.form.get("to") ?? visit.url.searchParams.get("to") ?? "") as Target;
  const verb = to === "active" && status === "paused" ? "Resume" : (verbs[to] ?? "Change");
  const page = pageAt`/experiments/${id}`;
  const validation = to === "active" ? await validate(visit, id) : null;
  const { errors, warnings = [] } = validation?.ok ? validation.body : { errors: [] };
  return confirmPage<PresentedExperiment>(visit, {
    title: `${verb} “${name}”?`,
    under: [listsUnder.experiments, [page, name]],
    lead: to === "active" ? await whatActivatingDoes(visit, found, { errors, warnings }) : <Consequence of={to} />,
    action: `${verb} it`,
    isDangerous: to === "completed" || to === "archived",
    isReady: errors.length === 0,
    cancel: page,
    fields: { to },
    send: () => visit.api.send("POST", `/experiments/${id}/status`, { status: to }),
    done: () => ({ to: `${page}?done=status` }),
  });
};

function Consequence({ of }: { of: Target }) {
  if (of === "paused") {
    return (
      <ul>
        <li>From the next minute on nobody new takes part: pages look as without the experiment.</li>
        <li>Whoever is in the middle of a log-in keeps the variation to its end, an hour at most.</li>
        <li>It can be resumed, and then gives everyone the variation they had.</li>
      </ul>
    );
  }
  if (of === "completed") {
    return (
      <ul>
        <li>It is over for good: a completed experiment cannot be active again.</li>
        <li>Nobody new takes part; a log-in that has begun keeps its variation.</li>
        <li>What it counted stays. What is to last of it, the feature flag’s rollout has to say.</li>
      </ul>
    );
  }
  if (of === "archived") return <p>It is put away for good. It can still be looked at, and its variations forced.</p>;
  return <p>There is no such status.</p>;
}

async function whatActivatingDoes(
  visit: Visit,
  experiment: PresentedExperiment,
  { errors, warnings }: { errors: readonly ValidationError[]; warnings: readonly ValidationWarning[] },
) {
  const { api, reader, tenant } = visit;
  const [names, flag, { experiments: active }] = await Promise.all([
    allocationNames(api, [experiment]),
    api.find<FeatureFlag>(`/feature-flags/${experiment.feature_flag_id}`),
    api.get<{ experiments: PresentedExperiment[] }>("/experiments?status=active&take=20"),
  ]);
  const beside = active.filter(({ id }) => id !== experiment.id);
  return (
    <>
      {errors.length > 0 && (
        <div class="notice warn">
          <strong>It cannot be activated yet:</strong>
          <Checklist errors={errors} experiment={experiment} />
        </div>
      )}
      {warnings.length > 0 && (
        <div class="notice warn">
          <strong>{errors.length > 0 ? "Check this too:" : "It can be activated, but check this first:"}</strong>
          <Checklist warnings={warnings} experiment={experiment} />
        </div>
      )}
      <h2>What will happen to whom</h2>
      <AllocationBar experiment={experiment} names={names} />
      <ul>
        {experiment.allocation_strategy === "percentage"
          ? chances(experiment, names, reader)
          : segmentWords(experiment, names)}
        <li>
          It holds within a minute, on pages of the flow “{experiment.authentication_flow.replaceAll("_", " ")}”. A
          log-in that has begun without it goes on without it.
        </li>
        {experiment.status === "paused" && (
          <li>Whoever had a variation gets the same one again, as long as the split is the same.</li>
        )}
        {flag && <RolloutEffects flag={flag} isSticky={experiment.is_stateful === true} />}
        {beside.length > 0 && (
          <li>
            Active beside it: {beside.map(({ name }) => `“${name}”`).join(", ")}; {tenant.active_experiment_limit} may
            be at a time.
          </li>
        )}
      </ul>
    </>
  );
}

const sample = 10_000;

function chances(experiment: Experiment, names: Names, reader: Reader) {
  const shares = sharesOf(experiment, names);
  const subject = `${experiment.assignment_config.subject}s`;
  const taken = shares.reduce((sum, { of }) => sum + of, 0);
  const next = nextLevel(experiment);
  const level = currentLevel(experiment);
  return (
    <>
      <li>
        Of {numberText(reader, sample)} {subject}, about{" "}
        {shares.map(({ name, of }) => `${numberText(reader, of * sample)} get ${name}`).join(", ")}
        {taken < 0.9995 && `, and ${numberText(reader, (1 - taken) * sample)} see the page as it is, in no variation`}.
      </li>
      <li>
        Who is among them, a hash decides: the same {experiment.assignment_config.subject} gets the same on every visit.
      </li>
      {next !== undefined && (
        <li>
          The ramp begins at {percentText(reader, level / 100)}; at the next level, {percentText(reader, next / 100)},
          more come in, and nobody changes.
        </li>
      )}
    </>
  );
}

function segmentWords(experiment: Experiment, names: Names) {
  const fallback = experiment.allocations.find(({ is_fallback }) => is_fallback === true);
  return (
    <>
      {segmentAllocations(experiment).map(({ segment_id, variation_id }) => (
        <li>
          Everyone in “{segment_id === undefined ? "no segment" : nameIn(names, segment_id)}” who is in none above gets{" "}
          {nameIn(names, variation_id)}.
        </li>
      ))}
      {fallback && <li>All the others get {nameIn(names, fallback.variation_id)}.</li>}
    </>
  );
}

function RolloutEffects({ flag: { rollout = {} }, isSticky }: { flag: FeatureFlag; isSticky: boolean }) {
  const { inclusions = {}, dependencies = {}, sticky_bucketing } = rollout;
  const included = Object.values(inclusions).reduce(
    (sum, { user_ids, device_ids }) => sum + user_ids.length + device_ids.length,
    0,
  );
  const needed = Object.keys(dependencies);
  return (
    <>
      {included > 0 && <li>Included by hand, whatever the split says: {counted(reading(), included, "id")}.</li>}
      {needed.length > 0 && <li>Only who gets what the flag needs of {needed.join(", ")} takes part.</li>}
      {(isSticky || sticky_bucketing) && <li>It is sticky: whoever has a variation keeps it.</li>}
    </>
  );
}

export const advanceRamp: Handler = async (visit) => {
  const found = await readExperiment(visit);
  const { id, name } = found;
  const page = pageAt`/experiments/${id}`;
  const next = nextLevel(found);
  const target = Number(visit.form.get("target") ?? next);
  const current = currentLevel(found);
  return confirmPage<PresentedExperiment>(visit, {
    title: next === undefined ? "The ramp is at its top" : `Go up from ${current}% to ${next}%?`,
    under: [listsUnder.experiments, [page, name]],
    lead: (
      <p>
        Another {percentText(visit.reader, (target - current) / 100)} of the {found.assignment_config.subject}s come in.
        Nobody who is in changes, and there is no way down but to pause.
      </p>
    ),
    action: `Go up to ${target}%`,
    cancel: page,
    fields: { target: String(target) },
    send: () => visit.api.send("POST", `/experiments/${id}/advance-ramp`, { target_level: target }),
    done: () => ({ to: `${page}?done=ramped` }),
  });
};
