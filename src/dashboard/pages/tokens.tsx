/** Tokens: who else may, and what. */
import { scopes, type TokenView } from "../../model/token.ts";
import { pageAt } from "../address.ts";
import { deletePage } from "../forms/confirm-page.tsx";
import { nameField } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import type { Read } from "../forms/read-form.ts";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Moment, onClockOf, type Reader } from "../parts/reader.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler } from "../visit.ts";
import { secretPage } from "./secret.tsx";

const [list] = listsUnder.tokens;
const under = [listsUnder.tokens];

const words: Readonly<Record<string, string>> = {
  "read:experimentation": "Look at everything",
  "create:experimentation": "Make things",
  "update:experimentation": "Change things, start and stop experiments",
  "delete:experimentation": "Delete things",
};

export const tokens: Handler = async (visit) => {
  const page = await visit.api.get<{ tokens: TokenView[]; next?: string }>(`/tokens${listQuery(visit)}`);
  const isOver = (at: string | undefined) => at !== undefined && Date.parse(at) <= visit.nowMs;
  const body = (
    <>
      <Head title="Tokens">
        <p class="lead quiet">Access to the management API and to these pages.</p>
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={pageAt`/tokens/new`}>
              New token
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      {page.tokens.length === 0 ? (
        <p>None yet. Give everyone a token of their own: then the change log says who it was.</p>
      ) : (
        <Table
          label="Tokens"
          items={page.tokens}
          columns={[
            { head: "Name", cell: ({ name }) => name },
            { head: "May", cell: (token) => token.scopes.map((scope) => scope.split(":")[0]).join(", ") },
            {
              head: "Until",
              cell: ({ expires_at }) =>
                expires_at === undefined ? (
                  "it is deleted"
                ) : isOver(expires_at) ? (
                  <Status of="archived" words="over" />
                ) : (
                  <Moment at={expires_at} />
                ),
            },
            { head: "In the change log", cell: ({ id }) => <code>token:{id}</code> },
            {
              head: "",
              cell: ({ id, name }) =>
                visit.may("delete") && (
                  <a href={pageAt`/tokens/${id}/delete`}>
                    Delete<span class="unseen"> {name}</span>
                  </a>
                ),
            },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Tokens", body };
};

export const newToken: Handler = (visit) =>
  formPage<TokenView & { token: string }>(visit, {
    title: "New token",
    under,
    fields: [
      nameField,
      {
        kind: "checks",
        name: "scopes",
        label: "What it may",
        hint: "Nobody can hand out what they may not do themselves.",
        options: scopes
          .filter((scope) => visit.caller.scopes.includes(scope))
          .map((value) => ({ value, label: words[value] ?? value })),
      },
      {
        kind: "text",
        name: "expires_at",
        label: "Until",
        hint: `As clocks show it in ${visit.reader.timeZone}. Empty: until it is deleted.`,
        type: "datetime-local",
        optional: true,
      },
    ],
    values: new URLSearchParams({ scopes: "read:experimentation" }),
    action: "Make the token",
    shape: (read) => withZone(read, visit.reader),
    cancel: list,
    send: (body) => visit.api.send("POST", "/tokens", body),
    done: ({ name, token }) =>
      secretPage({
        title: name,
        under,
        lead: "This is the token. It is shown this once, and kept nowhere.",
        secret: token,
        next: [list, "All tokens"],
      }),
  });

/** What the browser's control gives has no zone. */
function withZone(read: Read, reader: Reader): Read {
  const { expires_at } = read.body;
  if (typeof expires_at !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(expires_at)) return read;
  if (Number.isNaN(Date.parse(`${expires_at}Z`))) return read;
  return { ...read, body: { ...read.body, expires_at: onClockOf(reader, expires_at).toISOString() } };
}

export const deleteToken: Handler = async (visit) => {
  const { id, name } = await visit.api.get<TokenView>(`/tokens/${encodeURIComponent(visit.params.id ?? "")}`);
  const isOwn = visit.caller.actor === `token:${id}`;
  return deletePage(visit, {
    what: "the token",
    name,
    under,
    path: `/tokens/${id}`,
    page: list,
    list,
    consequence: `Whoever uses it is refused from the next request on.${isOwn ? " You are signed in with it: this ends your session." : ""}`,
  });
};
