/**
 * The origin's side of Vestibule: reads what the gate stamped onto a forwarded request. Copy it into a log-in page of your
 * own; it needs nothing but `jose`.
 */
import { base64url, errors, type JWTPayload, jwtVerify } from "jose";

export interface StampedExperiment {
  experiment_id: string;
  variation_id: string;
  segment_id?: string;
  control: boolean;
  method: string;
  /** The flag's parameters with the variation's overrides merged. */
  config: Record<string, unknown>;
}

export type StampReading =
  | { kind: "stamped"; verified: boolean; experiments: StampedExperiment[] }
  | { kind: "failed_open"; reason: string }
  | { kind: "invalid"; problem: string }
  | { kind: "none" };

/**
 * With the key (base64url, the gate's `STAMP_KEY`) only the signed token counts; without it the plain headers are believed,
 * which is sound only where nothing but the gate can reach this origin.
 */
export async function readStamp(headers: Headers, stampKey?: string): Promise<StampReading> {
  const token = headers.get("x-experiment-stamp");
  const ids = headers.get("x-experiment-id");
  const reason = headers.get("x-experiment-failed-open");
  if (reason !== null && token === null && ids === null) return { kind: "failed_open", reason };
  if (stampKey === undefined) {
    return ids === null ? { kind: "none" } : { kind: "stamped", verified: false, experiments: readHeaders(headers) };
  }
  if (token === null) {
    return ids === null ? { kind: "none" } : { kind: "invalid", problem: "the headers came without their token" };
  }
  try {
    const { payload } = await jwtVerify<JWTPayload & { experiments: StampedExperiment[] }>(
      token,
      base64url.decode(stampKey),
      { algorithms: ["HS256"], issuer: "vestibule", requiredClaims: ["aud", "exp", "experiments"] },
    );
    return { kind: "stamped", verified: true, experiments: payload.experiments };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return { kind: "invalid", problem: error.message };
  }
}

/** Several experiments come as comma-separated lists in one order. */
function readHeaders(headers: Headers): StampedExperiment[] {
  const list = (name: string) => (headers.get(`x-experiment-${name}`) ?? "").split(",").map((value) => value.trim());
  const [variations, segments, controls, methods, configs] = [
    list("variation-id"),
    list("segment-id"),
    list("control"),
    list("method"),
    list("config"),
  ];
  return list("id").map((experiment_id, index) => ({
    experiment_id,
    variation_id: variations[index] ?? "",
    ...(segments[index] ? { segment_id: segments[index] } : {}),
    control: controls[index] === "true",
    method: methods[index] ?? "",
    config: readConfig(configs[index] ?? ""),
  }));
}

function readConfig(encoded: string): Record<string, unknown> {
  try {
    const config: unknown = JSON.parse(new TextDecoder().decode(base64url.decode(encoded)));
    return typeof config === "object" && config !== null ? { ...config } : {};
  } catch {
    return {};
  }
}
