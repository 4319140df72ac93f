/** An OpenFeature evaluation context: who is asked about. */
import type { Subject } from "../../assignment/sources.ts";
import { type EngineUser, longestId, userOf } from "../../model/user.ts";
import { findUnplain } from "../management/json.ts";
import { isRecord, mostBodyBytes, readJson } from "../serving/json.ts";
import type { Failure } from "./refuse.ts";

export interface Context {
  subject: Subject;
  user: EngineUser;
  /** Whether the context itself says whose the device is. */
  links: boolean;
}

/** `too_large` has a status of its own. */
export async function readContext(request: Request): Promise<Context | Failure | "too_large"> {
  const read = await readJson(request);
  if (read === "too_large") return read;
  if (read === "no_json" || !isRecord(read.json)) {
    return {
      errorCode: "PARSE_ERROR",
      errorDetails: 'The body must be JSON such as {"context":{"targetingKey":"…"}}.',
    };
  }
  const { context = {} } = read.json;
  if (!isRecord(context)) return { errorCode: "INVALID_CONTEXT", errorDetails: "context: must be an object." };
  const unplain = findUnplain(context);
  if (unplain) return { errorCode: "INVALID_CONTEXT", errorDetails: `context.${unplain.field}: ${unplain.message}.` };
  return contextOf(context);
}

export const tooLarge = `The body may hold ${mostBodyBytes} bytes at most.`;

/** The targeting key stands for whichever id the context lacks: it is what an experiment on either is assigned by. */
function contextOf({ targetingKey, device_id, user_id, ...attributes }: Record<string, unknown>): Context | Failure {
  const ids = { targetingKey, device_id, user_id };
  for (const [name, id] of Object.entries(ids)) {
    const isFit = id === undefined || id === null || (typeof id === "string" && id.length <= longestId);
    if (isFit) continue;
    return {
      errorCode: "INVALID_CONTEXT",
      errorDetails: `context.${name}: must be text of at most ${longestId} characters.`,
    };
  }
  const given = (id: unknown) => (typeof id === "string" && id !== "" ? id : null);
  const key = given(targetingKey);
  const [ownDevice, ownUser] = [given(device_id), given(user_id)];
  const subject: Subject = { deviceId: ownDevice ?? key, userId: ownUser ?? key };
  if (subject.deviceId === null && subject.userId === null) {
    return {
      errorCode: "TARGETING_KEY_MISSING",
      errorDetails: "context.targetingKey: must be the id of the device or user; device_id or user_id will do as well.",
    };
  }
  return { subject, user: userOf(subject, attributes), links: ownDevice !== null && ownUser !== null };
}
