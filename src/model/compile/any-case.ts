/**
 * Flags for users whose properties an app has filled in. Attributes of ours are compared in one form (`foldAttribute`), which
 * the gate gives them; apps write `iOS`, `Web` or `us`. Here the rules take every usual way to write a value instead, so
 * that whoever evaluates them, an app's own engine too, finds the same.
 */
import type { Condition, Flag, Segment } from "../../engine/flag.ts";

/** Those whose values are folded. */
const folded: ReadonlySet<string> = new Set(["device_type", "browser", "platform", "country"]);

/** Names that their makers write in a way of their own, by how they are folded. */
const ownWays: Readonly<Record<string, string>> = {
  ios: "iOS",
  ipados: "iPadOS",
  tvos: "tvOS",
  macos: "macOS",
  webos: "webOS",
  chrome_os: "Chrome OS",
  windows_phone: "Windows Phone",
  internet_explorer: "Internet Explorer",
  samsung_internet: "Samsung Internet",
  tv: "TV",
};

const ops: ReadonlySet<string> = new Set(["is", "is not", "regex match", "regex does not match"]);
/** What prefixes, suffixes and whole values compile to: text, nothing else. */
const anchoredText = /^(\^?)((?:[^\\^$.*+?()[\]{}|]|\\[\\^$.*+?()[\]{}|])*)(\$?)$/;

/** The same array where no rule asks about such an attribute. */
export function inAnyCase(flags: readonly Flag[]): readonly Flag[] {
  return mapped(flags, flagInAnyCase);
}

function flagInAnyCase(flag: Flag): Flag {
  const segments = mapped(flag.segments, segmentInAnyCase);
  return segments === flag.segments ? flag : { ...flag, segments };
}

function segmentInAnyCase(segment: Segment): Segment {
  if (segment.conditions === undefined) return segment;
  const conditions = mapped(segment.conditions, (branch) => mapped(branch, conditionInAnyCase));
  return conditions === segment.conditions ? segment : { ...segment, conditions };
}

function conditionInAnyCase(condition: Condition): Condition {
  const [root, subject, attribute = "", ...rest] = condition.selector;
  if (root !== "context" || subject !== "user" || rest.length > 0 || !folded.has(attribute)) return condition;
  if (!ops.has(condition.op)) return condition;
  const spell = condition.op.startsWith("regex") ? spellPattern : spellings;
  return { ...condition, values: [...new Set(condition.values.flatMap(spell))] };
}

/** As it stands, folded, and as it is usually written. */
function spellings(value: string): string[] {
  return [
    ...usual(value),
    ...Object.entries(ownWays).flatMap(([name, way]) => (name === value.toLowerCase() ? way : [])),
  ];
}

function usual(value: string): string[] {
  const lower = value.toLowerCase();
  return [value, lower, value.toUpperCase(), lower.charAt(0).toUpperCase() + lower.slice(1)];
}

/** Of text that values begin or end with, or are. */
function spellPattern(pattern: string): string[] {
  const [, starts, text = "", ends] = anchoredText.exec(pattern) ?? [];
  if (text === "" || !(starts || ends)) return [pattern];
  if (starts && ends) return spellings(text).map((spelled) => `^${spelled}$`);
  const length = text.length;
  const parts = Object.entries(ownWays).flatMap(([name, way]) => {
    const fits = starts ? name.startsWith(text.toLowerCase()) : name.endsWith(text.toLowerCase());
    return fits ? (starts ? way.slice(0, length) : way.slice(-length)) : [];
  });
  return [...usual(text), ...parts].map((spelled) => (starts ? `^${spelled}` : `${spelled}$`));
}

/** The array itself where nothing in it has changed. */
function mapped<T>(items: readonly T[], map: (item: T) => T): readonly T[] {
  const made = items.map(map);
  return made.every((item, index) => item === items[index]) ? items : made;
}
