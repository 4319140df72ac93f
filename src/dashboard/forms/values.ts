/** What the controls of a form hold, by their names: `rules[0].conditions[1].values` is a control in a row in a row. */

export type Tree = string | number | boolean | null | undefined | readonly Tree[] | { readonly [name: string]: Tree };

/** Values as the controls show them; lists of texts are one a line. */
export function valuesOf(tree: { readonly [name: string]: Tree }): URLSearchParams {
  const values = new URLSearchParams();
  const put = (name: string, value: Tree): void => {
    if (value === undefined || value === null || value === false) return;
    if (value === true) values.append(name, "on");
    else if (typeof value !== "object") values.append(name, String(value));
    else if (!Array.isArray(value)) putAll(value, (key) => `${name}.${key}`);
    else if (value.every((one) => typeof one === "string")) values.append(name, value.join("\n"));
    else putAll(value, (place) => `${name}[${place}]`);
  };
  const putAll = (of: object, nameOf: (key: string) => string): void => {
    for (const [key, one] of Object.entries(of)) put(nameOf(key), one);
  };
  putAll(tree, (name) => name);
  return values;
}

/** Highest place of a row of `name` that any control belongs to, and one. */
export function countRows(values: URLSearchParams, name: string): number {
  let count = 0;
  for (const key of values.keys()) {
    const place = placeIn(key, name);
    if (place !== undefined) count = Math.max(count, place + 1);
  }
  return Math.min(count, 200);
}

function placeIn(key: string, name: string): number | undefined {
  if (!key.startsWith(`${name}[`)) return undefined;
  const digits = /^\d{1,4}(?=\])/.exec(key.slice(name.length + 1))?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** Takes a row away; those behind it move up. @param row such as `rules[1]` */
export function withoutRow(values: URLSearchParams, row: string): URLSearchParams {
  const [, name = "", digits = ""] = /^(.*)\[(\d+)\]$/.exec(row) ?? [];
  const removed = Number(digits);
  const rest = new URLSearchParams();
  for (const [key, value] of values) {
    const place = placeIn(key, name);
    if (place === undefined || place < removed) rest.append(key, value);
    else if (place > removed) rest.append(`${name}[${place - 1}]${key.slice(`${name}[${place}]`.length)}`, value);
  }
  return rest;
}
