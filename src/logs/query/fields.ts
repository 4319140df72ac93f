/** What of an entry can be asked about, and how its values are compared. */
import type { EntryType, ExperimentDetails, LogEntry } from "../../model/log-entry.ts";

/**
 * `word`: equal to the letter. `text`: contains it, in whatever case. `number`, `truth`: as JSON writes them. `date`: a moment,
 * or a day. `part`: is there, or not.
 */
export type FieldKind = "word" | "text" | "number" | "truth" | "date" | "part";

export type Value = string | number | boolean | undefined;

export interface Field {
  kind: FieldKind;
  /** Whether entries of that type can have it; where they cannot, none need be looked at. */
  isOf(type: EntryType): boolean;
  /** All that an entry has: under several experiments, one of each. */
  read(entry: LogEntry): readonly Value[];
}

const one = (kind: FieldKind, read: (entry: LogEntry) => Value): Field => ({
  kind,
  isOf: () => true,
  read: (entry) => [read(entry)],
});

const isWarning = (type: EntryType) => type === "w";
const isOutcome = (type: EntryType) => type !== "w";

const ofDetails = (isOf: Field["isOf"], read: (details: LogEntry["details"]) => Value): Field => ({
  kind: "word",
  isOf,
  read: ({ type, details }) => (isOf(type) ? [read(details)] : []),
});

const ofExperiments = (kind: FieldKind, read: (details: ExperimentDetails) => Value): Field => ({
  kind,
  isOf: isOutcome,
  read({ type, details: { experiment, experiments } }) {
    if (!isOutcome(type) || experiment === undefined) return [];
    return experiments?.map(read) ?? [read(experiment)];
  },
});

/** By the name that a query calls them. */
export const fields: ReadonlyMap<string, Field> = new Map([
  ["log_id", one("word", ({ log_id }) => log_id)],
  ["_id", one("word", ({ log_id }) => log_id)],
  ["date", one("date", ({ date }) => Date.parse(date))],
  ["type", one("word", ({ type }) => type)],
  ["description", one("text", ({ description }) => description)],
  ["client_id", one("word", ({ client_id }) => client_id)],
  ["connection", one("word", ({ connection }) => connection)],
  ["ip", one("word", ({ ip }) => ip)],
  ["user_agent", one("text", ({ user_agent }) => user_agent)],
  ["user_id", one("word", ({ user_id }) => user_id)],
  ["hostname", one("word", ({ hostname }) => hostname)],
  ["tenant_name", one("word", ({ tenant_name }) => tenant_name)],
  ["details.code", ofDetails(isWarning, ({ code }) => code)],
  ["details.failed_open", ofDetails(isOutcome, ({ failed_open }) => failed_open)],
  ["details.pass_through", { ...ofDetails(isOutcome, ({ pass_through }) => pass_through), kind: "truth" }],
  ["details.experiment", ofExperiments("part", () => true)],
  ["details.experiment.id", ofExperiments("word", ({ id }) => id)],
  ["details.experiment.variation_id", ofExperiments("word", ({ variation_id }) => variation_id)],
  ["details.experiment.segment_id", ofExperiments("word", ({ segment_id }) => segment_id)],
  ["details.experiment.is_control", ofExperiments("truth", ({ is_control }) => is_control)],
  ["details.experiment.method", ofExperiments("word", ({ method }) => method)],
  ["details.experiment.epoch", ofExperiments("number", ({ epoch }) => epoch)],
]);
