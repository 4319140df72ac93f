/** What the origin is told: plain headers for reading, and a signed token for trusting. */
import { createHash } from "node:crypto";
import { base64url } from "jose";
import type { Address } from "../assignment/address.ts";
import type { Assignment, Decision } from "../assignment/decide.ts";
import type { RolloutAssignment } from "../assignment/evaluation.ts";
import type { CryptoGuard } from "../assignment/keyring.ts";
import { createMemo } from "../assignment/memo.ts";
import type { StampValue, Tenant } from "../model/tenant.ts";
import type { CompiledExperiment, CompiledVariation } from "../snapshot/compiled.ts";

export const failedOpenHeader = "x-experiment-failed-open";
/** The client's address, signed, for tenants that want it. */
export const clientIpHeader = "x-vestibule-client-ip";

const headerNames: readonly (readonly [StampValue, string])[] = [
  ["experiment_id", "x-experiment-id"],
  ["variation_id", "x-experiment-variation-id"],
  ["segment_id", "x-experiment-segment-id"],
  ["control", "x-experiment-control"],
  ["method", "x-experiment-method"],
  ["config", "x-experiment-config"],
  ["stamp", "x-experiment-stamp"],
];

export type StampValues = Readonly<Partial<Record<StampValue, string>>>;

export interface Stamp {
  values: StampValues;
  /** Ids of experiments, and keys of flags, that did not fit; the origin does not know of them. */
  leftOut: readonly string[];
  /** Those whose config did not fit, whichever their variation. */
  withoutConfig: readonly string[];
}

/** Where an experiment's id stands, of a flag that is served by its rollout. */
const noExperiment = "-";

/** One assignment as the stamp tells it. */
interface Entry {
  /** The experiment's id, or the key of a flag that is served by its rollout. */
  name: string;
  experimentId: string;
  flagKey: string;
  variation: CompiledVariation;
  control: boolean;
  method: string;
  segmentId?: string | undefined;
  epoch?: number;
  /** The most characters that the entry takes without its config, whichever variation it is of; and the most of its config. */
  maxLength: number;
  maxConfigLength: number;
}

/** Tokens of one minute are alike, so that the next visitor needs no new signature. They live 60 to 120 seconds. */
const slotSeconds = 60;
/** Many origins answer 400 or 431 to more than 8 KiB of headers, the browser's own included, and that would cost a login. */
const maxHeaderLength = 4_096;
const maxMemoKeyLength = 8_192;
const encodedHeader = base64url.encode(JSON.stringify({ alg: "HS256", typ: "JWT" }));
const signatureLength = 43;
const hashLength = 43;
const encoder = new TextEncoder();

const base64Length = (bytes: number) => Math.ceil((bytes * 4) / 3);
/** A header's line: the name, a colon, a space and the line's end. */
const lineLength = (name: string) => name.length + 4;
const longest = (texts: Iterable<string>) => Math.max(0, ...[...texts].map(({ length }) => length));

const entryLengths = new WeakMap<
  CompiledExperiment | CompiledVariation,
  Pick<Entry, "maxLength" | "maxConfigLength">
>();

/** The same whichever variation is assigned: what is left out must be left out of all variations alike. */
function lengthsOf(
  key: CompiledExperiment | CompiledVariation,
  { experimentId, flagKey }: Pick<Entry, "experimentId" | "flagKey">,
  variations: readonly CompiledVariation[],
  segmentIds: Iterable<string>,
): Pick<Entry, "maxLength" | "maxConfigLength"> {
  const known = entryLengths.get(key);
  if (known) return known;
  const ids = experimentId.length + longest(variations.map(({ id }) => id)) + longest(segmentIds);
  const claims = { experiment_id: "", flag_key: flagKey, variation_id: "", segment_id: "", control: false, epoch: 1e9 };
  const claimsLength = JSON.stringify({ ...claims, method: "inclusion", config_sha256: "" }).length + ids + hashLength;
  const lengths = {
    // Three ids, `control`, `method` and `config` stand in lists.
    maxLength: ids + "false".length + "inclusion".length + 6 + base64Length(claimsLength),
    maxConfigLength: longest(variations.map(({ encodedConfig }) => encodedConfig)),
  };
  entryLengths.set(key, lengths);
  return lengths;
}

function experimentEntry({ experiment, variation, control, method, segmentId, epoch }: Assignment): Entry {
  const entry = { experimentId: experiment.id, flagKey: experiment.flagKey };
  const lengths = lengthsOf(experiment, entry, [...experiment.variations.values()], experiment.segments.keys());
  return { ...entry, ...lengths, name: experiment.id, variation, control, method, segmentId, epoch };
}

/** A rollout compares nothing, so that its variations need not be told alike. */
function rolloutEntry({ flagKey, variation, segmentId }: RolloutAssignment): Entry {
  const entry = { experimentId: noExperiment, flagKey };
  const lengths = lengthsOf(variation, entry, [variation], segmentId === undefined ? [] : [segmentId]);
  return { ...entry, ...lengths, name: flagKey, variation, control: false, method: "rollout", segmentId };
}

interface Description extends Omit<Stamp, "values"> {
  values: StampValues;
  claims: readonly Record<string, unknown>[];
  /** Cache key. */
  key: string;
}

const configHashes = new WeakMap<CompiledVariation, string>();

function configHashOf(variation: CompiledVariation): string {
  const known = configHashes.get(variation);
  if (known) return known;
  const hash = createHash("sha256").update(base64url.decode(variation.encodedConfig)).digest("base64url");
  configHashes.set(variation, hash);
  return hash;
}

/** All that the gate adds to a request besides the entries: other headers of ours, and the token's own part. */
function fixedLength({ id, sign_client_ip }: Tenant, host: string): number {
  const claims = JSON.stringify({ iss: "vestibule", aud: id, host, iat: 1e10, exp: 1e10, experiments: [] });
  const token = encodedHeader.length + 2 + signatureLength + base64Length(claims.length);
  const forwarded =
    "x-forwarded-for: ; x-forwarded-proto: https; x-forwarded-port: 65535; x-forwarded-host: ".length + 8;
  const addresses = forwarded + 45 + host.length;
  const clientIp = sign_client_ip ? lineLength(clientIpHeader) + token + 60 : 0;
  const names = headerNames.reduce((sum, [, name]) => sum + lineLength(name), 0);
  return names + token + addresses + clientIp;
}

/** By decision: all requests of a login share one. */
const described = new WeakMap<object, { host: string; description: Description }>();

function describe(tenant: Tenant, decision: Pick<Decision, "assignments" | "rollouts">, host: string): Description {
  const known = described.get(decision);
  if (known?.host === host) return known.description;
  const all = [...decision.assignments.map(experimentEntry), ...decision.rollouts.map(rolloutEntry)];
  const { query } = tenant.stamp;
  // What stands in the query too counts twice: servers limit the request line together with the headers.
  const inQuery = Object.values(query).some(Boolean) ? 2 : 1;
  const configTimes = query.config ? 2 : 1;
  let room = maxHeaderLength - fixedLength(tenant, host) * (query.stamp ? 2 : 1);
  const leftOut = new Set<Entry>();
  for (const entry of inOrderOfWeight(all)) {
    const length = entry.maxLength * inQuery;
    if (length > room) leftOut.add(entry);
    else room -= length;
  }
  const entries = all.filter((entry) => !leftOut.has(entry));
  const withoutConfig = new Set<Entry>();
  for (const entry of inOrderOfWeight(entries)) {
    const length = entry.maxConfigLength * configTimes;
    if (length > room) withoutConfig.add(entry);
    else room -= length;
  }
  const list = (read: (entry: Entry) => string) => entries.map(read).join(",");
  const values: StampValues =
    entries.length === 0
      ? {}
      : {
          experiment_id: list(({ experimentId }) => experimentId),
          variation_id: list(({ variation }) => variation.id),
          ...(entries.some(({ segmentId }) => segmentId) ? { segment_id: list((each) => each.segmentId ?? "") } : {}),
          control: list(({ control }) => String(control)),
          method: list(({ method }) => method),
          ...(withoutConfig.size === entries.length
            ? {}
            : { config: list((each) => (withoutConfig.has(each) ? "" : each.variation.encodedConfig)) }),
        };
  const claims = entries.map((entry) => ({
    experiment_id: entry.experimentId,
    flag_key: entry.flagKey,
    variation_id: entry.variation.id,
    ...(entry.segmentId === undefined ? {} : { segment_id: entry.segmentId }),
    control: entry.control,
    method: entry.method,
    ...(entry.epoch === undefined ? {} : { epoch: entry.epoch }),
    ...(withoutConfig.has(entry) ? {} : { config_sha256: configHashOf(entry.variation) }),
  }));
  const names = (of: ReadonlySet<Entry>) => [...of].map(({ name }) => name);
  const description = {
    values,
    claims,
    leftOut: names(leftOut),
    withoutConfig: names(withoutConfig),
    key: JSON.stringify(claims),
  };
  described.set(decision, { host, description });
  return description;
}

/** A forced variation first, then experiments, then rollouts. */
function inOrderOfWeight(entries: readonly Entry[]): Entry[] {
  const weight = ({ method }: Entry) => (method === "forced" ? 0 : method === "rollout" ? 2 : 1);
  return [...entries].sort((a, b) => weight(a) - weight(b));
}

export interface Stamper {
  /**
   * The stamp of a decision, as comma-separated lists in one order where there are several assignments; null where there
   * is nothing to tell. The token is an HS256 JWS (RFC 7515) that names tenant and host and is valid for 60 to 120 seconds;
   * it holds the SHA-256 of each config.
   */
  stamp(
    tenant: Tenant,
    decision: Pick<Decision, "assignments" | "rollouts">,
    url: Address,
    nowMs: number,
  ): Stamp | null | Promise<Stamp | null>;
  signClientIp(tenant: string, ip: string, url: Address, nowMs: number): string | Promise<string>;
}

export function createStamper(secret: Uint8Array<ArrayBuffer>, guard: CryptoGuard): Stamper {
  const tokens = createMemo<string>(1_024);
  let imported: CryptoKey | undefined;

  async function sign(claims: Record<string, unknown>): Promise<string> {
    return guard(async () => {
      imported ??= await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      const input = `${encodedHeader}.${base64url.encode(JSON.stringify(claims))}`;
      const mac = await crypto.subtle.sign("HMAC", imported, encoder.encode(input));
      return `${input}.${base64url.encode(new Uint8Array(mac))}`;
    });
  }

  async function signNew(slotKey: string, claims: Record<string, unknown>): Promise<string> {
    const token = await sign(claims);
    if (slotKey.length <= maxMemoKeyLength) tokens.set(slotKey, token);
    return token;
  }

  /** At once where this minute's token is known. */
  function tokenFor(memoKey: string, nowMs: number, claims: () => Record<string, unknown>): string | Promise<string> {
    const slot = Math.floor(nowMs / 1000 / slotSeconds);
    const slotKey = `${slot} ${memoKey}`;
    const known = tokens.get(slotKey);
    if (known) return known;
    const iat = slot * slotSeconds;
    return signNew(slotKey, { iss: "vestibule", iat, exp: iat + 2 * slotSeconds, ...claims() });
  }

  return {
    stamp(tenant, decision, url, nowMs) {
      if (decision.assignments.length === 0 && decision.rollouts.length === 0) return null;
      const { values, leftOut, withoutConfig, claims, key } = describe(tenant, decision, url.host);
      if (claims.length === 0) return { values, leftOut, withoutConfig };
      const token = tokenFor(`${tenant.id} ${url.host} ${key}`, nowMs, () => ({
        aud: tenant.id,
        host: url.host,
        experiments: claims,
      }));
      const stamped = (stamp: string): Stamp => ({ values: { ...values, stamp }, leftOut, withoutConfig });
      return typeof token === "string" ? stamped(token) : token.then(stamped);
    },
    signClientIp(tenant, ip, url, nowMs) {
      return tokenFor(`ip ${tenant} ${url.host} ${ip}`, nowMs, () => ({ aud: tenant, host: url.host, ip }));
    },
  };
}

/** Puts the stamp onto a request's headers. */
export function setStampHeaders(headers: Headers, values: StampValues): void {
  for (const [value, name] of headerNames) {
    const text = values[value];
    if (text !== undefined) headers.set(name, text);
  }
}

/** The query with the stamp's values under the tenant's names; what a client sent under them is removed before. */
export function addStampQuery(search: string, names: Tenant["stamp"]["query"], values: StampValues): string {
  const added = Object.entries(names).flatMap(([value, name]) => {
    const text = values[value as StampValue];
    return text === undefined || !name ? [] : [`${name}=${encodeURIComponent(text)}`];
  });
  if (added.length === 0) return search;
  return `${search === "" ? "?" : `${search}&`}${added.join("&")}`;
}
