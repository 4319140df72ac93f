import { unitAt } from "./unit-at.ts";

/** `major.minor[.patch[-prerelease]]`, the prerelease with its hyphen. */
export interface Version {
  major: number;
  minor: number;
  patch: number;
  prerelease: string | undefined;
}

/** In UTF-16 code units. A longer text is no version, and compares as text. */
export const maxVersionLength = 256;

const dot = 46;
const hyphen = 45;

/** 0 past the end. */
const codeAt = (text: string, at: number): number => (at < text.length ? unitAt(text, at) : 0);
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isPrereleaseCode = (code: number): boolean =>
  isDigit(code) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code === hyphen;

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (isDigit(codeAt(text, at))) at++;
  return at;
}

/** Of up to 15 digits by arithmetic, which is exact that far and faster. */
function readNumber(text: string, from: number, to: number): number {
  if (to - from > 15) return Number(text.slice(from, to));
  let number = 0;
  for (let at = from; at < to; at++) number = number * 10 + codeAt(text, at) - 48;
  return number;
}

/** Identifiers of letters, digits, `_` and `-`, each followed by at most one dot. */
function isPrerelease(text: string, from: number): boolean {
  const { length } = text;
  let afterIdentifier = false;
  for (let at = from; at < length; at++) {
    const code = codeAt(text, at);
    if (isPrereleaseCode(code)) afterIdentifier = true;
    else if (code === dot && afterIdentifier) afterIdentifier = false;
    else return false;
  }
  return true;
}

/**
 * Reads a version in one pass; undefined when `text` is none. Accepts what experiment-core's pattern accepts, which
 * takes exponential time in the length of a prerelease.
 */
export function parseVersion(text: string): Version | undefined {
  if (text.length > maxVersionLength) return undefined;
  const majorEnd = digitsEnd(text, 0);
  if (majorEnd === 0 || codeAt(text, majorEnd) !== dot) return undefined;
  const minorEnd = digitsEnd(text, majorEnd + 1);
  if (minorEnd === majorEnd + 1) return undefined;
  const major = readNumber(text, 0, majorEnd);
  const minor = readNumber(text, majorEnd + 1, minorEnd);
  if (minorEnd === text.length) return { major, minor, patch: 0, prerelease: undefined };
  if (codeAt(text, minorEnd) !== dot) return undefined;
  const patchEnd = digitsEnd(text, minorEnd + 1);
  if (patchEnd === minorEnd + 1) return undefined;
  const patch = readNumber(text, minorEnd + 1, patchEnd);
  if (patchEnd === text.length) return { major, minor, patch, prerelease: undefined };
  if (codeAt(text, patchEnd) !== hyphen || !isPrerelease(text, patchEnd + 1)) return undefined;
  return { major, minor, patch, prerelease: text.slice(patchEnd) };
}

const order = <T extends number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** Negative, zero or positive. A prerelease comes before its release; prereleases compare as plain text. */
export function compareVersions(a: Version, b: Version): number {
  const numbers = order(a.major, b.major) || order(a.minor, b.minor) || order(a.patch, b.patch);
  if (numbers !== 0) return numbers;
  if (a.prerelease === undefined) return b.prerelease === undefined ? 0 : 1;
  return b.prerelease === undefined ? -1 : order(a.prerelease, b.prerelease);
}
