/** Deletes what is known of one person, on a page that asks first. */
import { pageAt } from "../address.ts";
import { errorsOf, noErrors } from "../forms/errors.ts";
import type { Field } from "../forms/field.ts";
import { Fields } from "../forms/fields.tsx";
import { Faults, FormKey } from "../forms/form.tsx";
import { Head } from "../parts/head.tsx";
import { counted } from "../parts/reader.tsx";
import { Search } from "../parts/search.tsx";
import type { Handler } from "../visit.ts";

interface Forgotten {
  units: number;
  links: number;
  log_entries: number;
}

const fields: readonly Field[] = [
  { kind: "text", name: "device_id", label: "Device id", optional: true },
  { kind: "text", name: "user_id", label: "User id", optional: true },
];

export const forget: Handler = async (visit) => {
  const { form, url } = visit;
  const isPosted = form.size > 0;
  const given = isPosted ? form : url.searchParams;
  const ids = ["device_id", "user_id"].flatMap((name): [string, string][] => {
    const id = given.get(name)?.trim();
    return id ? [[name, id]] : [];
  });
  const outcome = isPosted ? await visit.api.send<Forgotten>("DELETE", `/subjects?${new URLSearchParams(ids)}`) : null;
  const isEmpty = !isPosted && ids.length === 0 && given.has("device_id");
  const errors = isEmpty
    ? { at: new Map([["device_id", "must be given, or a user id"]]), rest: [] }
    : outcome?.ok === false
      ? errorsOf(outcome.refusal, ["device_id", "user_id"], [])
      : noErrors;
  const body = (
    <>
      <Head title="Forget somebody">
        <p class="lead quiet">
          What is counted of a device or a user goes, as if it had never been, and a user’s entries in the log. Members
          of cohorts and inclusions stay: they are configuration. Give one id, or both.
        </p>
      </Head>
      <Faults errors={errors} fields={fields} />
      {outcome?.ok && (
        <p class="notice" role="status">
          Forgotten: {counted(visit.reader, outcome.body.units, "unit")},{" "}
          {counted(visit.reader, outcome.body.links, "link")} of devices,{" "}
          {counted(visit.reader, outcome.body.log_entries, "log entry", "log entries")}. What is still on its way is
          counted when it comes: do it again an hour after the last visit.
        </p>
      )}
      {ids.length === 0 || isPosted ? (
        <Search label="Somebody" kind="edit">
          <Fields fields={fields} values={given} errors={errors} />
          <p>
            <button type="submit">Go on</button>
          </p>
        </Search>
      ) : (
        <form method="post" class="edit" action={pageAt`/forget`}>
          <FormKey of={visit.session} />
          {ids.map(([name, id]) => (
            <input type="hidden" name={name} value={id} />
          ))}
          <p>
            All that is counted of {ids.map(([name, id]) => `${name.replace("_", " ")} “${id}”`).join(" and ")} is
            deleted for good.
          </p>
          <p class="actions">
            <button type="submit" class="danger">
              Forget them
            </button>
            <a href={pageAt`/forget`}>Cancel</a>
          </p>
        </form>
      )}
    </>
  );
  return { title: "Forget somebody", body, status: outcome?.ok === false ? outcome.refusal.status : 200 };
};
