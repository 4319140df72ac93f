/** What a form asks, as data: one description fills it, shows it and reads it, to make something as well as to change it. */

export interface Option {
  value: string;
  label: string;
}

interface Named {
  /** Of its control, and of the field in the API's body; within rows, under the row. */
  name: string;
  label: string;
  hint?: string;
}

/** A text that may be left out; on a form that changes something, to empty it takes the field away. */
interface Optional {
  optional?: boolean;
}

export type Field =
  | (Named & Optional & { kind: "text"; short?: boolean; type?: "password" | "datetime-local"; placeholder?: string })
  | (Named & Optional & { kind: "long" })
  | (Named & Optional & { kind: "number" })
  | (Named & Optional & { kind: "choice"; options: readonly Option[]; empty?: string })
  | (Named & { kind: "check" })
  /** Any of a few, sent as a list. */
  | (Named & { kind: "checks"; options: readonly Option[] })
  /** A list of texts, one a line. */
  | (Named & Optional & { kind: "lines"; code?: boolean })
  /** A value of any type; which one another field of the row says, or it is fixed. */
  | (Named & Optional & { kind: "value"; typeField?: string; type?: string })
  | (Named & Optional & { kind: "json" })
  | (Named & {
      kind: "rows";
      columns: readonly Field[];
      /** What one row is called: "Add <one>". */
      one: string;
      /** How many are shown at least. */
      least?: number;
      /** Instead of any number of them, one for each of these, which the row holds as `key`. */
      keys?: readonly string[];
      /** Of a row, by its place. */
      heading?: (place: number) => string;
    });

export const choices = (values: readonly string[], labels: Readonly<Record<string, string>> = {}): Option[] =>
  values.map((value) => ({ value, label: labels[value] ?? value.replaceAll("_", " ") }));

export const named = (items: readonly { id: string; name: string }[]): Option[] =>
  items.map(({ id, name }) => ({ value: id, label: name }));

export const nameField: Field = { kind: "text", name: "name", label: "Name" };
export const descriptionField: Field = { kind: "long", name: "description", label: "Description", optional: true };
