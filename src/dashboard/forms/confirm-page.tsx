/** A page of its own that asks before something is done that cannot, or not easily, be taken back. */
import type { Child } from "hono/jsx";
import type { Outcome } from "../api.ts";
import { Head } from "../parts/head.tsx";
import type { Reply, Visit } from "../visit.ts";
import { Faults, FormKey } from "./form.tsx";

export interface ConfirmPage<Item> {
  title: string;
  under: readonly (readonly [string, string])[];
  /** What will happen. */
  lead: Child;
  action: string;
  isDangerous?: boolean;
  /** Whether nothing is known to stand in the way. */
  isReady?: boolean;
  cancel: string;
  /** What goes with the question, by name. */
  fields?: Readonly<Record<string, string>>;
  send(): Promise<Outcome<Item>>;
  done(item: Item): Reply | Promise<Reply>;
}

export async function confirmPage<Item>(visit: Visit, page: ConfirmPage<Item>): Promise<Reply> {
  const { title, under, lead, action, isDangerous = false, isReady = true, cancel, fields = {} } = page;
  const outcome = visit.form.size > 0 ? await page.send() : null;
  if (outcome?.ok) return page.done(outcome.body);
  const refusal = outcome?.refusal;
  return {
    title,
    status: refusal?.status ?? 200,
    body: (
      <>
        <Head title={title} under={under} />
        {refusal && <Faults errors={{ at: new Map(), rest: [refusal.message] }} />}
        <div class="question">{lead}</div>
        <form method="post" class="actions">
          <FormKey of={visit.session} />
          {Object.entries(fields).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <button type="submit" class={isDangerous ? "danger" : isReady ? "primary" : undefined}>
            {action}
          </button>
          <a href={cancel}>Cancel</a>
        </form>
      </>
    ),
  };
}

interface Deleting {
  /** "the segment". */
  what: string;
  name: string;
  under: readonly (readonly [string, string])[];
  /** In the API. */
  path: string;
  /** The page of what is deleted, and the list that it was in. */
  page: string;
  list: string;
  consequence: string;
}

export function deletePage(
  visit: Visit,
  { what, name, under, path, page, list, consequence }: Deleting,
): Promise<Reply> {
  return confirmPage(visit, {
    title: `Delete ${what} “${name}”?`,
    under,
    lead: <p>{consequence}</p>,
    action: "Delete it",
    isDangerous: true,
    cancel: page,
    send: () => visit.api.send("DELETE", path),
    done: () => ({ to: `${list}?done=deleted` }),
  });
}
