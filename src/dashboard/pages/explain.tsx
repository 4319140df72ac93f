/** Why a subject gets what it gets, in words. */

import type { FeatureFlag } from "../../model/feature-flag.ts";
import { pageAt } from "../address.ts";
import { deviceIdField } from "../forms/device-id-field.ts";
import { type Errors, errorsOf, noErrors } from "../forms/errors.ts";
import type { Field, Option } from "../forms/field.ts";
import { controlsOf, Fields } from "../forms/fields.tsx";
import { Faults } from "../forms/form.tsx";
import { Head } from "../parts/head.tsx";
import { Search } from "../parts/search.tsx";
import type { Handler } from "../visit.ts";

interface Explanation {
  version: number;
  cohorts: string[] | null;
  cohorts_explanation: string;
  flags: ExplainedFlag[];
}

interface ExplainedFlag {
  flag_key: string;
  feature_flag_id: string;
  experiment_id: string | null;
  variation_key: string | null;
  method: string | null;
  reason: string;
  explanation: string;
  words: string[];
  depends_on: { flag_key: string; variation_key: string | null; words: string[] }[];
}

const fieldsOf = (flags: readonly Option[]): Field[] => [
  deviceIdField,
  { kind: "text", name: "user_id", label: "User id", optional: true },
  { kind: "choice", name: "flag_key", label: "Feature flag", options: flags, empty: "all of them", optional: true },
  {
    kind: "lines",
    name: "attributes",
    label: "Attributes",
    hint: "One a line, such as country=CH, device_type=mobile or plan=pro.",
    optional: true,
  },
];

export const explain: Handler = async (visit) => {
  const { searchParams } = visit.url;
  const { items } = await visit.api.all<FeatureFlag>("/feature-flags", "feature_flags");
  const fields = fieldsOf(items.map(({ key, name }) => ({ value: key, label: name })));
  const isAsked = ["device_id", "user_id", "attributes"].some((name) => searchParams.get(name)?.trim());
  let errors: Errors = noErrors;
  let explanation: Explanation | undefined;
  if (isAsked && !searchParams.get("device_id")?.trim() && !searchParams.get("user_id")?.trim()) {
    const missing = "must name the subject: a device id, a user id, or both";
    errors = { at: new Map([["device_id", missing]]), rest: [] };
  } else if (isAsked) {
    const outcome = await visit.api.send<Explanation>("GET", `/explain?${questionOf(searchParams)}`);
    if (outcome.ok) explanation = outcome.body;
    else errors = errorsOf(outcome.refusal, controlsOf(fields, searchParams), []);
  }
  const body = (
    <>
      <Head title="Explain">
        <p class="lead quiet">
          What a visitor with these ids and attributes gets by what is committed, and why. It assigns nothing.
        </p>
      </Head>
      <Search label="Explain" kind="edit">
        <Faults errors={errors} fields={fields} lead="It cannot be explained:" />
        <Fields fields={fields} values={searchParams} errors={errors} />
        <p>
          <button type="submit" class="primary">
            Explain
          </button>
        </p>
      </Search>
      {explanation && <Answer of={explanation} names={new Map(items.map(({ key, name }) => [key, name]))} />}
    </>
  );
  return { title: "Explain", body };
};

function questionOf(asked: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams();
  for (const line of (asked.get("attributes") ?? "").split(/\r?\n/)) {
    const [name = "", ...value] = line.split("=");
    if (name.trim() !== "") query.set(name.trim(), value.join("=").trim());
  }
  for (const name of ["device_id", "user_id", "flag_key"]) {
    const value = asked.get(name)?.trim();
    if (value) query.set(name, value);
  }
  return query;
}

function Answer({ of, names }: { of: Explanation; names: ReadonlyMap<string, string> }) {
  return (
    <section aria-labelledby="answer" role="status">
      <h2 id="answer">By version {of.version}</h2>
      {of.cohorts !== null && of.cohorts.length > 0 && (
        <p class="quiet">
          In the cohorts {of.cohorts.join(", ")}, {of.cohorts_explanation}.
        </p>
      )}
      {of.cohorts === null && <p class="notice warn">{of.cohorts_explanation}.</p>}
      {of.flags.length === 0 && <p>There is no feature flag yet.</p>}
      {of.flags.map((flag) => (
        <article class="explained">
          <h3>
            <a href={pageAt`/flags/${flag.feature_flag_id}`}>{names.get(flag.flag_key) ?? flag.flag_key}</a>:{" "}
            {flag.variation_key ?? "nothing"}
          </h3>
          <p>{flag.explanation}</p>
          {flag.experiment_id && (
            <p class="quiet">
              By the experiment <a href={pageAt`/experiments/${flag.experiment_id}`}>{flag.experiment_id}</a>
            </p>
          )}
          {flag.words.length > 0 && (
            <details>
              <summary>Step by step</summary>
              <pre>{flag.words.join("\n")}</pre>
              {flag.depends_on.map((other) => (
                <>
                  <p>
                    It needs “{other.flag_key}”, which gives {other.variation_key ?? "nothing"}:
                  </p>
                  <pre>{other.words.join("\n")}</pre>
                </>
              ))}
            </details>
          )}
        </article>
      ))}
    </section>
  );
}
