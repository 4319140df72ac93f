/** Deletes what is known of one person, on a page that asks first. */
import { parseDeviceId } from "../../model/device-id.ts";
import { pageAt } from "../address.ts";
import { deviceIdField } from "../forms/device-id-field.ts";
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

const fields: readonly Field[] = [deviceIdField, { kind: "text", name: "user_id", label: "User id", optional: true }];

export const forget: Handler = async (visit) => {
  const { form, url } = visit;
  const isPosted = form.size > 0;
  const given = isPosted ? form : url.searchParams;
  const fieldOf = (name: string) => given.get(name)?.trim() ?? "";
  // The page that asks first names the very id that is deleted, not the cookie in which it was pasted.
  const device = fieldOf("device_id") === "" ? null : parseDeviceId(fieldOf("device_id"), Date.now());
  const deviceError = device !== null && "error" in device ? device.error : null;
  const ids = Object.entries({
    device_id: device !== null && "id" in device ? device.id : "",
    user_id: fieldOf("user_id"),
  }).filter(([, id]) => id !== "");
  const isMissing = !isPosted && device === null && ids.length === 0 && given.has("device_id");
  const fieldError = isMissing ? "must be given, or a user id" : deviceError;
  const outcome =
    isPosted && fieldError === null
      ? await visit.api.send<Forgotten>("DELETE", `/subjects?${new URLSearchParams(ids)}`)
      : null;
  const errors =
    fieldError !== null
      ? { at: new Map([["device_id", fieldError]]), rest: [] }
      : outcome?.ok === false
        ? errorsOf(outcome.refusal, ["device_id", "user_id"], [])
        : noErrors;
  const status = outcome?.ok === false ? outcome.refusal.status : isPosted && fieldError !== null ? 400 : 200;
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
      {ids.length === 0 || isPosted || fieldError !== null ? (
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
  return { title: "Forget somebody", body, status };
};
