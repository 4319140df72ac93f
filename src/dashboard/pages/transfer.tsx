/** All of a tenant as a file, out and in. */
import { pageAt } from "../address.ts";
import { noErrors } from "../forms/errors.ts";
import { Faults, FormKey } from "../forms/form.tsx";
import { Head } from "../parts/head.tsx";
import { Table } from "../parts/list.tsx";
import { counted, reading } from "../parts/reader.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler } from "../visit.ts";

interface Imported {
  dry_run: boolean;
  changes: { action: "create" | "update" | "delete"; resource_type: string; name: string; fields: string[] }[];
  problems: { code: string; path: string; message: string }[];
  warnings: { path: string; message: string }[];
  deployments: { name: string; type: string; key: string }[];
}

export const exportFile: Handler = async ({ api, caller }) => {
  const configuration = await api.get<unknown>("/export");
  return new Response(`${JSON.stringify(configuration, null, 2)}\n`, {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "content-disposition": `attachment; filename="${caller.tenant}.json"`,
    },
  });
};

const words = { create: "made", update: "changed", delete: "deleted" } as const;

export const transfer: Handler = async (visit) => {
  const { form } = visit;
  const isPosted = form.size > 0;
  const text = (form.get("file") || form.get("text") || "").trim();
  const isDry = !form.has("do");
  const query = new URLSearchParams();
  if (isDry) query.set("dry_run", "true");
  if (form.has("prune")) query.set("prune", "true");
  if (form.get("format") === "amplitude") query.set("format", "amplitude");
  const outcome = isPosted
    ? await visit.api.upload<Imported>("POST", `/import?${query}`, { type: "application/json", content: text })
    : null;
  const refusal = outcome?.ok === false ? outcome.refusal : null;
  const found = outcome?.ok ? outcome.body : null;
  const hasProblems = (found?.problems.length ?? 0) > 0;
  const body = (
    <>
      <Head title="Import and export">
        <p class="lead quiet">
          All of the tenant’s configuration as one JSON file, to be kept with code or carried elsewhere.
        </p>
        <p class="actions">
          <a class="button" href={pageAt`/transfer/export`} download>
            Export
          </a>
        </p>
      </Head>
      <Faults errors={refusal ? { ...noErrors, rest: [refusal.message] } : noErrors} />
      {found && !found.dry_run && <Taken found={found} />}
      {found?.dry_run && <Preview found={found} />}
      {visit.may("create") && visit.may("update") && (
        <section aria-labelledby="import">
          <h2 id="import">Import</h2>
          <form method="post" enctype="multipart/form-data" class="edit">
            <FormKey of={visit.session} />
            <div class="field">
              <label for="file">File</label>
              <input type="file" id="file" name="file" accept=".json,application/json" />
            </div>
            <div class="field">
              <label for="text">Or its text</label>
              <textarea id="text" name="text" class="code" rows={8} spellcheck={false}>
                {found && !found.dry_run ? "" : text}
              </textarea>
            </div>
            <div class="field">
              <label for="format">Written by</label>
              <select id="format" name="format">
                <option value="">an export of Vestibule</option>
                <option value="amplitude" selected={form.get("format") === "amplitude"}>
                  Amplitude: its list of flags
                </option>
              </select>
            </div>
            {visit.may("delete") && (
              <div class="choice">
                <input type="checkbox" id="prune" name="prune" checked={form.has("prune")} />
                <label for="prune">Delete what the file does not name</label>
              </div>
            )}
            <p class="actions">
              <button type="submit" class={found?.dry_run ? undefined : "primary"}>
                See what would change
              </button>
              {found?.dry_run && !hasProblems && found.changes.length > 0 && (
                <button type="submit" name="do" value="1" class="primary">
                  Import it
                </button>
              )}
            </p>
          </form>
        </section>
      )}
    </>
  );
  return { title: "Import and export", body, status: refusal?.status ?? 200 };
};

function Preview({ found: { changes, problems, warnings } }: { found: Imported }) {
  return (
    <section aria-labelledby="preview" role="status">
      <h2 id="preview">What would change</h2>
      {problems.length > 0 && (
        <div class="notice bad">
          <strong>It cannot be imported:</strong>
          <ul>
            {problems.map(({ path, message }) => (
              <li>
                {path && <code>{path}</code>} {message}
              </li>
            ))}
          </ul>
        </div>
      )}
      {warnings.map(({ path, message }) => (
        <p>
          <Status of="warn" words="" /> <code>{path}</code> {message}
        </p>
      ))}
      {changes.length === 0 ? <p>Nothing: it says what is there already.</p> : <ChangeTable changes={changes} />}
    </section>
  );
}

function ChangeTable({ changes }: Pick<Imported, "changes">) {
  return (
    <Table
      label="Changes"
      items={changes}
      columns={[
        { head: "What", cell: ({ name }) => name },
        { head: "Kind", cell: ({ resource_type }) => resource_type.replaceAll("_", " ") },
        { head: "Would be", cell: ({ action }) => words[action] },
        { head: "Fields", cell: ({ fields }) => fields.join(", ") },
      ]}
    />
  );
}

function Taken({ found: { changes, deployments } }: { found: Imported }) {
  return (
    <div class="notice" role="status">
      <strong>Imported: {counted(reading(), changes.length, "change")}.</strong>
      {deployments.length > 0 && (
        <>
          <p>New keys of deployments; those of servers are shown this once:</p>
          {deployments.map(({ name, key }) => (
            <p>
              {name}: <code class="secret">{key}</code>
            </p>
          ))}
        </>
      )}
    </div>
  );
}
