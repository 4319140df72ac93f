/**
 * The origin's side of Vestibule: reads what the gate stamped onto a forwarded request. Copy it into a login page of your
 * own; it needs nothing but `jose`.
 */
import { base64url, errors, type JWTPayload, jwtVerify } from "jose";

export interface StampedExperiment {
  /** `-` where the flag is served by its rollout. */
  experiment_id: string;
  flag_key?: string;
  variation_id: string;
  segment_id?: string;
  control: boolean;
  method: string;
  epoch?: number;
  /** The flag's parameters with the variation's overrides merged; undefined where it was too large for the headers. */
  config?: Record<string, unknown>;
}

export type StampReading =
  | { kind: "stamped"; verified: boolean; experiments: StampedExperiment[] }
  | { kind: "failed_open"; reason: string }
  | { kind: "invalid"; problem: string }
  | { kind: "none" };

type SignedExperiment = Omit<StampedExperiment, "config"> & { config_sha256?: string };

/**
 * With the key (base64url, the gate's `STAMP_KEY`) only the signed token counts, and a config only where the token holds its
 * hash. Without it the plain headers are believed, which is sound only where nothing but the gate can reach this origin.
 * @param host that visitors see, with its port: a stamp for another host is invalid
 */
export async function readStamp(headers: Headers, stampKey?: string, host?: string): Promise<StampReading> {
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
    const { payload } = await jwtVerify<JWTPayload & { host: string; experiments: SignedExperiment[] }>(
      token,
      base64url.decode(stampKey),
      { algorithms: ["HS256"], issuer: "vestibule", requiredClaims: ["aud", "host", "iat", "exp", "experiments"] },
    );
    if (host !== undefined && payload.host !== host) {
      return { kind: "invalid", problem: `the stamp is for the host ${payload.host}` };
    }
    const configs = listOf(headers, "config");
    const experiments = payload.experiments.map((one, index) => withConfig(one, configs[index]));
    return { kind: "stamped", verified: true, experiments: await Promise.all(experiments) };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof StampError) {
      return { kind: "invalid", problem: error.message };
    }
    throw error;
  }
}

class StampError extends Error {}

/** The config travels beside the token, which holds the hash of its bytes. */
async function withConfig(
  { config_sha256: expected, ...experiment }: SignedExperiment,
  encoded = "",
): Promise<StampedExperiment> {
  if (expected === undefined) return experiment;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(base64url.decode(encoded));
  } catch {
    throw new StampError(`the config of ${experiment.experiment_id} is not base64url`);
  }
  const hash = base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  if (hash !== expected)
    throw new StampError(`the config of ${experiment.experiment_id} is not the one that was signed`);
  return { ...experiment, ...readConfig(bytes) };
}

/** Several experiments come as comma-separated lists in one order. */
function listOf(headers: Headers, name: string): string[] {
  return (headers.get(`x-experiment-${name}`) ?? "").split(",").map((value) => value.trim());
}

function readHeaders(headers: Headers): StampedExperiment[] {
  const [variations, segments, controls, methods, configs] = [
    listOf(headers, "variation-id"),
    listOf(headers, "segment-id"),
    listOf(headers, "control"),
    listOf(headers, "method"),
    listOf(headers, "config"),
  ];
  return listOf(headers, "id").map((experiment_id, index) => ({
    experiment_id,
    variation_id: variations[index] ?? "",
    ...(segments[index] ? { segment_id: segments[index] } : {}),
    control: controls[index] === "true",
    method: methods[index] ?? "",
    ...readEncodedConfig(configs[index] ?? ""),
  }));
}

function readEncodedConfig(encoded: string): Pick<StampedExperiment, "config"> {
  try {
    return readConfig(base64url.decode(encoded));
  } catch {
    return {};
  }
}

function readConfig(bytes: Uint8Array): Pick<StampedExperiment, "config"> {
  try {
    const config: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof config === "object" && config !== null ? { config: { ...config } } : {};
  } catch {
    return {};
  }
}
