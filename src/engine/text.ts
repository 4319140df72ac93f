import { parseVersion, type Version } from "./version.ts";

/** A string with the forms the operators compare, each made at most once. */
export class Text {
  readonly text: string;
  #lower: string | undefined;
  #number: number | undefined;
  #version: Version | undefined | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get lower(): string {
    this.#lower ??= this.text.toLowerCase();
    return this.#lower;
  }

  get number(): number {
    this.#number ??= Number(this.text);
    return this.#number;
  }

  get version(): Version | undefined {
    if (this.#version === null) this.#version = parseVersion(this.text);
    return this.#version;
  }
}

/** JSON.stringify takes time by the square of the depth, and may overflow the stack. */
export const maxDepth = 100;

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1));
}

/**
 * The string form of a property: objects and arrays as JSON, everything else as `String` has it; undefined for null
 * and undefined.
 * @throws when an object has no JSON form: a cycle, a BigInt inside, or nesting deeper than `maxDepth`.
 */
export function toText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return String(value);
  if (isDeeperThan(value, maxDepth)) throw new RangeError("too deep");
  return JSON.stringify(value);
}

/**
 * The elements of an array as text, without empty ones; undefined when it is no array.
 * @throws when an element has no JSON form.
 */
function toElements(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const elements: string[] = [];
  for (const element of value) {
    const text = toText(element);
    if (text !== undefined && text !== "") elements.push(text);
  }
  return elements;
}

/**
 * The elements of an array, or of a string that holds a JSON array; undefined when it is neither.
 * @throws when an element of an array has no JSON form.
 */
export function toTextList(value: unknown): string[] | undefined {
  if (typeof value !== "string") return toElements(value);
  if (!value.startsWith("[")) return undefined;
  try {
    return toElements(JSON.parse(value));
  } catch {
    return undefined;
  }
}
