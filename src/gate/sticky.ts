/**
 * Sticky bucketing: choices of earlier sessions, in a cookie of their own. Each belongs to the subject it was made for, so
 * that the next user of a browser does not get the last one's.
 */
import { base64url } from "jose";
import type { Decision } from "../assignment/decide.ts";
import { stickyKeyOfRollout } from "../assignment/evaluation.ts";
import type { Keyring } from "../assignment/keyring.ts";
import type { SubjectKind } from "../assignment/unit.ts";
import type { CompiledSnapshot } from "../snapshot/compiled.ts";
import { tagOf } from "./tag.ts";

/** The latest choices are kept: the cookie must stay small. */
const maxChoices = 20;
const version = 2;

interface StickyChoice {
  /** Tag of the subject, as `subjectTag` makes it. */
  owner: string;
  /** An experiment's id, or a flag as `stickyKeyOfRollout` names it. */
  key: string;
  /** A variation's id, or of a flag its key. */
  value: string;
}

export interface StickyChoices {
  choices: readonly StickyChoice[];
  /** Signed with a key that no longer signs, or in the format before. */
  outdated: boolean;
}

export const noChoices: StickyChoices = { choices: [], outdated: false };

export const subjectTag = (kind: SubjectKind, id: string): string => tagOf(`${kind}/${id}`);

type Packed = [typeof version, ...[owner: string, key: string, value: string][]];
/** The format before: choices of one device, whoever used it. */
type PackedBefore = [deviceId: string, choices: [experimentId: string, variationId: string][]];

function unpack(payload: string): StickyChoices {
  const packed: Packed | PackedBefore = JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
  if (packed[0] === version) {
    const [, ...entries] = packed as Packed;
    return { choices: entries.map(([owner, key, value]) => ({ owner, key, value })), outdated: false };
  }
  const [deviceId, entries] = packed as PackedBefore;
  const owner = subjectTag("device", deviceId);
  return { choices: entries.map(([key, value]) => ({ owner, key, value })), outdated: true };
}

/** The choices of the first genuine value. */
export async function readSticky(keyring: Keyring, tenant: string, values: readonly string[]): Promise<StickyChoices> {
  for (const value of values) {
    const verified = await keyring.verify("sticky", tenant, value);
    if (!verified) continue;
    const { choices, outdated } = unpack(verified.payload);
    return { choices, outdated: outdated || verified.outdated };
  }
  return noChoices;
}

/** What a subject chose before. */
export function stickyLookup({ choices }: StickyChoices, deviceId: string | null, userId: string | null) {
  return (kind: SubjectKind, key: string): string | undefined => {
    const id = kind === "user" ? userId : deviceId;
    if (id === null || choices.length === 0) return undefined;
    const owner = subjectTag(kind, id);
    return choices.find((choice) => choice.key === key && choice.owner === owner)?.value;
  };
}

/** A new cookie value when the decision adds to what is remembered, or the old one is outdated; else null. */
export async function extendSticky(
  keyring: Keyring,
  { tenant, gate }: Pick<CompiledSnapshot, "tenant" | "gate">,
  before: StickyChoices,
  decision: Pick<Decision, "added" | "rollouts">,
  deviceId: string | null,
  userId: string | null,
): Promise<string | null> {
  const added: StickyChoice[] = [];
  const add = (kind: SubjectKind, key: string, value: string) => {
    const id = kind === "user" ? userId : deviceId;
    if (id !== null) added.push({ owner: subjectTag(kind, id), key, value });
  };
  for (const { experiment, variation } of decision.added) {
    if (experiment.sticky) add(experiment.subject, experiment.id, variation.id);
  }
  for (const { flagKey, variation } of decision.rollouts) {
    const rollout = gate.rollouts.find((each) => each.flagKey === flagKey);
    if (rollout?.sticky) add(rollout.subject, stickyKeyOfRollout(flagKey), variation.key);
  }
  const isSame = (one: StickyChoice) => (other: StickyChoice) => one.owner === other.owner && one.key === other.key;
  const isNews = added.some((one) => before.choices.find(isSame(one))?.value !== one.value);
  if (!isNews && !before.outdated) return null;
  const kept = before.choices.filter((choice) => !added.some(isSame(choice)));
  const packed: Packed = [version, ...[...kept, ...added].slice(-maxChoices).map(packChoice)];
  return keyring.sign("sticky", tenant, base64url.encode(JSON.stringify(packed)));
}

const packChoice = ({ owner, key, value }: StickyChoice): [string, string, string] => [owner, key, value];
