/** What is known of one thing: names and values. */
import type { Child } from "hono/jsx";

/** What is undefined is left out. */
export function Facts({ of }: { of: readonly (readonly [string, Child | undefined])[] }) {
  return (
    <dl class="facts">
      {of.flatMap(([name, value]) => (value === undefined ? [] : [<dt>{name}</dt>, <dd>{value}</dd>]))}
    </dl>
  );
}

export function Copy({ text, words = "Copy" }: { text: string; words?: string }) {
  return (
    <button type="button" data-copy={text}>
      {words}
    </button>
  );
}

/** A value of a parameter, as it would be written in JSON; texts without their quotes. */
export function Value({ of }: { of: unknown }) {
  return <code>{typeof of === "string" ? of || "(empty)" : JSON.stringify(of)}</code>;
}
