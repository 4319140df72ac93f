/** Who an app asks for, completed by what the request tells of it, and what the statistics may know. */
import type { Address } from "../../assignment/address.ts";
import type { User } from "../../assignment/evaluation.ts";
import { requestAttributes } from "../../assignment/event.ts";
import type { Subject } from "../../assignment/sources.ts";
import { readUserAgent } from "../../assignment/user-agent.ts";
import { foldAttribute } from "../../model/compile/segment-conditions.ts";
import type { VestibuleEvent } from "../../model/event.ts";
import type { Client } from "./desk.ts";

/** What a request tells of the person whose device sends it. */
const told = ["country", "region", "city", "device_type", "browser", "platform"] as const;
/** What an app may say of its user that the statistics are kept by. */
const counted = ["country", "region", "device_type", "browser", "platform"] as const;
const longestAttribute = 128;

/** Amplitude's name for a kind of device → ours, where they differ. */
const deviceCategories: Readonly<Record<string, string>> = { smarttv: "tv", console: "tv" };

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== "";

/**
 * What the app itself says stands. A server's request tells of the server, not of the user: nothing is taken from it, so
 * that whoever evaluates the flags there finds the same.
 */
export function completeUser(user: User, request: Request, { deployment }: Client): User {
  if (deployment.type === "server") return user;
  const completed = { ...user };
  const { country, region, city } = (request.cf ?? {}) as Partial<IncomingRequestCfProperties>;
  const traits = readUserAgent(request.headers.get("user-agent") ?? "");
  const category = typeof user.device_category === "string" ? user.device_category.toLowerCase() : "";
  const known: Record<string, unknown> = { ...traits, country, region, city };
  if (category !== "") known.device_type = deviceCategories[category] ?? category;
  for (const name of told) {
    if (!isGiven(completed[name]) && isGiven(known[name]) && known[name] !== "unknown") completed[name] = known[name];
  }
  return completed;
}

/** An id as it is hashed; null where there is none. */
export function idOf(value: unknown): string | null {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

export function subjectOf({ device_id, user_id }: User): Subject {
  return { deviceId: idOf(device_id), userId: idOf(user_id) };
}

/** @param user completed */
export function attributesOf(
  user: User,
  request: Request,
  url: Address,
  { deployment }: Client,
): VestibuleEvent["attributes"] {
  const attributes = deployment.type === "server" ? {} : requestAttributes(request, url);
  for (const name of counted) {
    const value = user[name];
    if (typeof value === "string" && value !== "") attributes[name] = shortened(foldAttribute(name, value));
  }
  const sdk = request.headers.get("x-amp-exp-library") ?? user.library;
  if (typeof sdk === "string" && sdk !== "") attributes.sdk = shortened(sdk);
  if (typeof user.version === "string" && user.version !== "") attributes.app_version = shortened(user.version);
  return attributes;
}

const shortened = (text: string) => text.slice(0, longestAttribute);
