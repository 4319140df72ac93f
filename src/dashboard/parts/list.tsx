/** A list of things of one kind: as a table, page by page. */
import type { Child } from "hono/jsx";
import type { Visit } from "../visit.ts";

export interface Column<Item> {
  head: string;
  cell(item: Item): Child;
  isNumber?: boolean;
  /** Prose or values, which want some room. */
  isLong?: boolean;
}

interface TableProps<Item> {
  /** What the rows are, for who cannot see the table. */
  label: string;
  columns: readonly Column<Item>[];
  items: readonly Item[];
  caption?: string;
}

/** The first column names the row. */
export function Table<Item>({ label, columns, items, caption }: TableProps<Item>) {
  return (
    // What scrolls must be reachable by keyboard.
    <figure class="scroll" tabindex={0} aria-label={label}>
      <table>
        {caption && <caption>{caption}</caption>}
        <thead>
          <tr>
            {columns.map(({ head, isNumber }) =>
              head === "" ? (
                <td />
              ) : (
                <th scope="col" class={isNumber ? "n" : undefined}>
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr>
              {columns.map(({ cell, isNumber, isLong }, place) =>
                place === 0 ? (
                  <th scope="row">{cell(item)}</th>
                ) : (
                  <td class={isNumber ? "n" : isLong ? "long" : undefined}>{cell(item)}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** To the next page of the list; back is what browsers have a button for. */
export function More({ visit: { url }, next }: { visit: Visit; next: string | undefined }) {
  const isLater = url.searchParams.has("from");
  if (next === undefined && !isLater) return null;
  const to = (from: string | null) => {
    const query = new URLSearchParams(url.searchParams);
    query.delete("done");
    if (from === null) query.delete("from");
    else query.set("from", from);
    return `${url.pathname}?${query}`;
  };
  return (
    <nav class="actions" aria-label="Pages of the list">
      {isLater && <a href={to(null)}>To the beginning</a>}
      {next !== undefined && <a href={to(next)}>More</a>}
    </nav>
  );
}

/** The part of the page's query that the API's list takes too. */
export function listQuery({ url }: Visit, names: readonly string[] = []): string {
  const query = new URLSearchParams();
  for (const name of ["from", ...names]) {
    const value = url.searchParams.get(name);
    if (value) query.set(name, value);
  }
  return query.size > 0 ? `?${query}` : "";
}
