/** JSON from clients: text is checked before it is parsed, and the value before it is used. */
import { pathText } from "./issues.ts";

export const mostLevels = 32;
/** Names that would reach an object's prototype where code assigns by name. */
const prototypeNames: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const quote = 0x22;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * How far `text` is nested, found without building anything: parsing hundreds of thousands of levels takes long.
 * `member` is the member of the outermost object that the text, or its first part that is too deep, ends in.
 */
export function skim(text: string): { isTooDeep: boolean; member: string } {
  let level = 0;
  let last = { start: 0, end: 0 };
  let member = last;
  const found = (isTooDeep: boolean) => {
    const name = text.slice(member.start, member.end);
    return { isTooDeep, member: name === "" ? "" : pathText([name]) };
  };
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      const end = endOfString(text, index);
      if (level === 1) last = { start: index + 1, end };
      index = end;
    } else if (code === colon && level === 1) {
      member = last;
    } else if (code === openBracket || code === openBrace) {
      if (++level > mostLevels) return found(true);
    } else if (code === closeBracket || code === closeBrace) {
      level--;
    }
  }
  return found(false);
}

/** The index of the quote that ends the string beginning at `start`, or of the text's end. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; ; index++) {
    index = text.indexOf('"', index);
    if (index < 0) return text.length;
    let before = index - 1;
    while (text[before] === "\\") before--;
    if ((index - before) % 2 === 1) return index;
  }
}

/** The first such name or text, if there is one. */
export function findUnplain(value: unknown): { field: string; message: string } | undefined {
  const fault = faultOf(value);
  return fault && { field: pathText(fault.path.reverse()), message: fault.message };
}

/** The path comes innermost first. */
function faultOf(value: unknown): { path: unknown[]; message: string } | undefined {
  if (typeof value === "string") {
    return value.isWellFormed() ? undefined : { path: [], message: "must not hold half of a surrogate pair" };
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const fault = faultOf(value[index]);
      if (fault) return { ...fault, path: [...fault.path, index] };
    }
    return undefined;
  }
  for (const name of Object.keys(value)) {
    if (prototypeNames.has(name)) return { path: [name], message: "must have another name" };
    const fault = faultOf(name) ?? faultOf((value as Record<string, unknown>)[name]);
    if (fault) return { ...fault, path: [...fault.path, name] };
  }
  return undefined;
}
