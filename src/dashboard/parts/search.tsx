/** What narrows a page down: a form that changes nothing, and whose answer has an address. */
import type { Child } from "hono/jsx";

export function Search({
  label,
  children,
  kind = "filters",
}: {
  label: string;
  children: Child;
  kind?: "filters" | "edit";
}) {
  return (
    <search aria-label={label}>
      <form class={kind}>{children}</form>
    </search>
  );
}
