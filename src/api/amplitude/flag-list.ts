/** The flags of a deployment as its clients evaluate them: whole for servers, as stubs for everybody else. */
import type { ServedFlag } from "../../assignment/serve.ts";
import type { Flag, Variant } from "../../engine/flag.ts";
import { memo } from "../../model/memo.ts";
import type { CompiledSnapshot } from "../../snapshot/compiled.ts";
import type { CompiledDeployment } from "../../snapshot/deployments.ts";
import { etagOf } from "../serving/etag.ts";

export interface FlagList {
  json: string;
  /** Of what is in it, not of its version: two tenants' may have the same, and one that was set up anew counts again. */
  etag: string;
}

/** Of each deployment by id, while the snapshot serves. */
const lists = memo((_: CompiledSnapshot) => new Map<string, FlagList>());

/** @param forced the variant that QA wants of its experiment's flag */
export function flagList(snapshot: CompiledSnapshot, deployment: CompiledDeployment, forced?: ServedFlag): FlagList {
  if (forced !== undefined) {
    const others = flagsOf(snapshot, deployment).filter(({ key }) => key !== forced.key);
    return listOf([...others, forcedFlag(forced)]);
  }
  const known = lists(snapshot).get(deployment.id);
  if (known !== undefined) return known;
  const list = listOf(flagsOf(snapshot, deployment));
  lists(snapshot).set(deployment.id, list);
  return list;
}

function listOf(flags: readonly Flag[]): FlagList {
  const json = JSON.stringify(flags);
  return { json, etag: etagOf(null, json) };
}

function flagsOf(snapshot: CompiledSnapshot, deployment: CompiledDeployment): Flag[] {
  return deployment.type === "server" ? wholeFlags(snapshot, deployment) : stubs(snapshot, deployment);
}

/** One variant for everybody; a client takes its own evaluation for the server's word. */
function forcedFlag({ key, variant: { metadata, ...variant } }: ServedFlag): Flag {
  const { segmentName, ...ofFlag } = metadata ?? {};
  return {
    key,
    variants: { [variant.key]: variant },
    segments: [{ variant: variant.key, metadata: { segmentName } }],
    metadata: { ...ofFlag, evaluationMode: "local" },
  };
}

/** The cohorts that are asked about by flags which a deployment evaluates itself. */
export function cohortsAskedBy(snapshot: CompiledSnapshot, { flagKeys }: CompiledDeployment): Set<string> {
  const keys = flagKeys.filter((key) => isEvaluatedAway(snapshot, key));
  return new Set(keys.flatMap((key) => snapshot.cohortNeedOf(key)?.ids ?? []));
}

/**
 * Whether somebody else can evaluate it: SDKs look up cohorts by the user's id alone, and take one they cannot fetch for
 * one without members. Such a flag is left out: its users get the fallback, not a guess.
 */
function isEvaluatedAway({ cohortNeedOf, cohorts, flagByKey }: CompiledSnapshot, key: string): boolean {
  if (!flagByKey.has(key)) return false;
  const { ids = [], missing = [] } = cohortNeedOf(key) ?? {};
  return missing.length === 0 && ids.every((id) => cohorts?.ready[id]?.id_type === "user");
}

/** With what they depend on, each after it; of that, clients are told that it is not deployed. */
function wholeFlags(snapshot: CompiledSnapshot, { flagKeys }: CompiledDeployment): Flag[] {
  const own = new Set(flagKeys);
  const found = new Map<string, Flag>();
  const visit = (key: string) => {
    const flag = snapshot.flagByKey.get(key);
    if (flag === undefined || found.has(key)) return;
    // Sound flags are on no cycle.
    for (const dependency of flag.dependencies ?? []) visit(dependency);
    const { metadata } = flag;
    const deployed = own.has(key) && metadata?.deployed !== false;
    found.set(key, { ...flag, metadata: { ...metadata, deployed, evaluationMode: "local" } });
  };
  for (const key of flagKeys) if (isEvaluatedAway(snapshot, key)) visit(key);
  return [...found.values()];
}

const off: Readonly<Record<string, Variant>> = { off: { key: "off", metadata: { default: true } } };

/** Rules, and whom they name, are nobody's business; the client is told to ask for its variants. */
function stubs({ flagByKey }: CompiledSnapshot, { flagKeys }: CompiledDeployment): Flag[] {
  return flagKeys.flatMap((key) => {
    const { metadata } = flagByKey.get(key) ?? {};
    if (!flagByKey.has(key) || metadata?.deployed === false) return [];
    const segments = [{ metadata: { segmentName: "default" }, variant: "off" }];
    return [{ key, variants: off, segments, metadata: { ...metadata, evaluationMode: "remote" } }];
  });
}
