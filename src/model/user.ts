/** Whoever is asked about, as the engine reads it, of ids and attributes as people name them. */
import { foldAttribute } from "./compile/segment-conditions.ts";
import { segmentAttributes } from "./segment.ts";

/** Attributes that are a user's own fields, as the gate and Amplitude's SDKs name them; the rest are user properties. */
const userFields: ReadonlySet<string> = new Set([
  ...segmentAttributes,
  "city",
  "colo",
  "dma",
  "language",
  "version",
  "os",
  "device_manufacturer",
  "device_brand",
  "device_model",
  "carrier",
  "library",
]);

/** Of a device or user, in characters. */
export const longestId = 512;
const longestValue = 1024;

export interface EngineUser {
  device_id: string | null;
  user_id: string | null;
  user_properties: Record<string, unknown>;
  [field: string]: unknown;
}

/** Text is cut where the gate cuts it, and folded as rules are. */
export function userOf(
  { deviceId, userId }: { deviceId: string | null; userId: string | null },
  attributes: Readonly<Record<string, unknown>>,
): EngineUser {
  const all = Object.entries(attributes).map(([name, value]): [string, unknown] => [name, formed(name, value)]);
  return {
    ...Object.fromEntries(all.filter(([name]) => userFields.has(name))),
    device_id: deviceId,
    user_id: userId,
    user_properties: Object.fromEntries(all.filter(([name]) => !userFields.has(name))),
  };
}

function formed(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => formed(name, each));
  return typeof value === "string" ? foldAttribute(name, value.slice(0, longestValue)) : value;
}
