/** Device ids as people paste them: often the whole device cookie, of which only the first 22 characters are the id. */
import * as v from "valibot";
import { longestId } from "./user.ts";

/** The gate's id is 128 bits in base64url, so the last character's four spare bits are zero. */
const gateId = "[A-Za-z0-9_-]{21}[AQgw]";
const cookiePattern = /^([A-Za-z0-9_-]{22})[0-9a-z]{3,5}\.[A-Za-z0-9_-]{1,16}\.[A-Za-z0-9_-]{43}$/;
const idPartPattern = new RegExp(`^(${gateId})([0-9a-z]{3,5})$`);
const cutCookiePattern = new RegExp(`^${gateId}([0-9a-z]{3,5})\\.`);
/** A payload, a key id and a mac, as in every value that the gate signs. A JSON Web Token's second part is longer. */
const signedPattern = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{1,16}\.[A-Za-z0-9_-]{43}$/;

const dayMs = 24 * 3600_000;
/** 1 January 2025: before that no gate signed a cookie. */
const firstDay = 20_089;

const rightForm =
  "must be the vst_did cookie's value, its first 22 characters (which are the device id), or an id of your own";

const notWhole = `${rightForm}: this is part of the vst_did cookie's value, or the value with something added`;

/**
 * The device id in `text`: the gate's device cookie, with or without its name, its first part (id and day), or the id
 * itself. A whole Cookie header will do. Any other text is an id that an app chose, and is returned unchanged.
 *
 * An app's own id of 25 characters may look like the cookie's first part. It is taken for that only if its 22nd character
 * ends a 128-bit id and the rest is a day from 2025 to tomorrow, which holds for about 1 in 6,000 random ids.
 */
export function parseDeviceId(text: string, nowMs: number): { id: string } | { error: string } {
  if (text === "") return { error: "must not be empty" };
  const given = text.trim();
  const [, named] = /(?:^|[\s;:])(?:__Host-)?vst_did\s*=\s*"?([^\s;"]*)/.exec(given) ?? [];
  if (named !== undefined) return readNamed(named);
  const [, other] = /(?:^|[\s;:])(?:__Host-)?(vst_ses|vst_sticky)(?:\s*=|$)/.exec(given) ?? [];
  if (other !== undefined) return { error: `${rightForm}: this is the ${other} cookie, which has no device id` };
  if (/^(?:__Host-)?vst_did$/.test(given)) return { error: `${rightForm}: this is only the cookie's name` };

  const [, whole] = cookiePattern.exec(given) ?? [];
  if (whole !== undefined) return { id: whole };
  if (signedPattern.test(given))
    return { error: `${rightForm}: this is another signed value of the gate's, or part of one` };
  const [, cutDay] = cutCookiePattern.exec(given) ?? [];
  if (cutDay !== undefined && isPlausibleDay(cutDay, nowMs)) {
    return { error: notWhole };
  }
  const [, id, day] = idPartPattern.exec(given) ?? [];
  if (id !== undefined && day !== undefined && isPlausibleDay(day, nowMs)) return { id };
  return text.length > longestId ? { error: `must have at most ${longestId} characters` } : { id: text };
}

/** After the cookie's name nothing is ambiguous. */
function readNamed(value: string): { id: string } | { error: string } {
  const [, id] = cookiePattern.exec(value) ?? /^([A-Za-z0-9_-]{22})(?:[0-9a-z]{3,5})?$/.exec(value) ?? [];
  if (id !== undefined) return { id };
  return { error: notWhole };
}

function isPlausibleDay(day: string, nowMs: number): boolean {
  const number = Number.parseInt(day, 36);
  return number >= firstDay && number <= Math.floor(nowMs / dayMs) + 1;
}

/** A device id in any form that `parseDeviceId` takes; its output is the id. */
export const deviceIdSchema = v.pipe(
  v.string("must be text"),
  v.rawTransform<string, string>(({ dataset, addIssue, NEVER }) => {
    const result = parseDeviceId(dataset.value, Date.now());
    if ("id" in result) return result.id;
    addIssue({ message: result.error });
    return NEVER;
  }),
);
