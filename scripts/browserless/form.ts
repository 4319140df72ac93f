/** Finds a form in a page's markup: enough of HTML for pages that are written by hand or by a template. */

export interface Form {
  action: string;
  method: "GET" | "POST";
  /** What it sends of itself: the values of its inputs; buttons only when asked for by name. */
  values: Record<string, string>;
}

/** The first form that has all these fields; a button outside the form counts when its `form` attribute names it. */
export function findForm(markup: string, fields: readonly string[]): Form {
  for (const [, opening = "", content = ""] of markup.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)) {
    const form = attributesOf(opening);
    const inner = controlsOf(content);
    const outer = controlsOf(markup).filter((control) => form.id !== undefined && control.form === form.id);
    const names = new Set([...inner, ...outer].map((control) => control.name));
    if (!fields.every((field) => names.has(field))) continue;
    const sent = inner.filter(({ tag, type }) => tag === "input" && type !== "submit" && type !== "checkbox");
    return {
      action: form.action ?? "",
      method: form.method?.toUpperCase() === "POST" ? "POST" : "GET",
      values: Object.fromEntries(sent.map(({ name = "", value = "" }) => [name, value])),
    };
  }
  throw new Error(`no form with ${fields.join(", ") || "any field"} on the page`);
}

function controlsOf(markup: string): Record<string, string>[] {
  return [...markup.matchAll(/<(input|button)\b([^>]*)>/g)]
    .map(([, tag = "", attributes = ""]) => ({ ...attributesOf(attributes), tag }))
    .filter((control: Record<string, string>) => control.name !== undefined);
}

function attributesOf(markup: string): Record<string, string> {
  const pairs = [...markup.matchAll(/([\w-]+)(?:\s*=\s*"([^"]*)")?/g)];
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name.toLowerCase(), decodeEntities(value)]));
}

function decodeEntities(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
