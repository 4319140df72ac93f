/**
 * Query parameters that only the gate may set. Servers disagree about how a name is spelled, so every parameter that some
 * server would read as one of the names is removed: percent-encoded in any way, in any letter case, after `;` as after `&`,
 * as an array (`name[]`), with the characters that PHP folds into `_`, or cut off at a NUL.
 */
import { createMemo } from "../assignment/memo.ts";

/** A proxy, a framework and an application may each decode once. */
const maxDecodings = 3;

interface ReservedNames {
  folded: ReadonlySet<string>;
  /** Matches every query that may hold one of the names: one is there as it is, or some name holds an escape. */
  suspicious: RegExp;
}

/** Lists of names come from settings, so there are few. */
const compiled = createMemo<ReservedNames>(64);

/** Letter case also beyond ASCII: some comparisons take the Kelvin sign for a K. */
const foldCase = (text: string) => text.toUpperCase().toLowerCase();

/** PHP turns these into `_` (php_register_variable_ex); `+` is a space. */
const foldedIntoUnderscore = /[\s.[+]/g;

const fold = (text: string) => foldCase(text.trim()).replace(foldedIntoUnderscore, "_");

/** The names that servers make of one decoded name. */
function spellingsOf(name: string): string[] {
  // Some stop at a NUL, others drop control characters.
  const texts = [name.split("\0", 1)[0] ?? "", name.replace(/\p{Cc}/gu, "")];
  return texts.flatMap((text) => {
    // qs takes "[name]" for "name"; "??name" is "?name" to most and "name" to those that strip question marks.
    const start = text.replace(/^[?[\s]+/, "");
    const root = start.split(/[[\]=]/, 1)[0] ?? "";
    return [fold(root), fold(start), fold(text)];
  });
}

function compileNames(names: readonly string[]): ReservedNames {
  const key = JSON.stringify(names);
  const known = compiled.get(key);
  if (known) return known;
  const folded = new Set(names.map(fold).filter((name) => name !== ""));
  const literal = (character: string) =>
    character === "_" ? "[_.+\\s[]" : character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  const alternatives = [...folded].map((name) => [...name].map(literal).join(""));
  const escapedName = "(?:^|[&;])[^=&;]*[%\\x00-\\x1f\\x7f-\\uffff]";
  const made = { folded, suspicious: new RegExp([escapedName, ...alternatives].join("|"), "i") };
  compiled.set(key, made);
  return made;
}

/** Each run of valid escapes decoded as UTF-8, or byte by byte where it is none; `%uXXXX` is IIS's. */
function decode(text: string): string {
  return text.replaceAll("+", " ").replace(/%u([0-9a-f]{4})|(?:%[0-9a-f]{2})+/gi, (run, unit: string | undefined) => {
    if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16));
    try {
      return decodeURIComponent(run);
    } catch {
      return run.replace(/%(..)/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
    }
  });
}

function isReserved(parameter: string, { folded }: ReservedNames): boolean {
  const end = parameter.indexOf("=");
  let name = end < 0 ? parameter : parameter.slice(0, end);
  for (let decodings = 0; ; decodings++) {
    if (spellingsOf(name).some((spelling) => folded.has(spelling))) return true;
    const decoded = decodings < maxDecodings ? decode(name) : name;
    if (decoded === name) return false;
    name = decoded;
  }
}

/**
 * The query without the parameters that a server may read as one of `names`; every other byte stays as it is.
 * @param search with its question mark, or ""
 */
export function withoutReserved(search: string, names: readonly string[]): string {
  if (names.length === 0 || search.length < 2) return search;
  const reserved = compileNames(names);
  if (!reserved.suspicious.test(search.slice(1))) return search;
  const parts = search.slice(1).split(/([&;])/);
  let kept = "";
  let keptCount = 0;
  for (let at = 0; at < parts.length; at += 2) {
    const parameter = parts[at] ?? "";
    if (isReserved(parameter, reserved)) continue;
    kept += keptCount++ === 0 ? parameter : `${parts[at - 1]}${parameter}`;
  }
  if (keptCount === (parts.length + 1) / 2) return search;
  return kept === "" ? "" : `?${kept}`;
}
