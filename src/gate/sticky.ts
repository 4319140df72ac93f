/** The sticky cookie: what a device was given in experiments that keep an earlier choice whatever the rules say today. */
import { base64url } from "jose";
import type { Assignment } from "../assignment/decide.ts";
import type { Keyring } from "../assignment/keyring.ts";
import { after, type Pending } from "../assignment/pending.ts";

/** Experiments remembered, the latest; the cookie must stay small. */
const maxEntries = 20;

export interface StickyChoices {
  /** Experiment id → variation id. */
  choices: ReadonlyMap<string, string>;
  /** Signed with a key that no longer signs. */
  outdated: boolean;
}

export const noChoices: StickyChoices = { choices: new Map(), outdated: false };

/** The choices in the first genuine value that was set for this device. */
export function readSticky(
  keyring: Keyring,
  tenant: string,
  values: readonly string[],
  deviceId: string | null,
): Pending<StickyChoices> {
  const [value, ...others] = values;
  if (value === undefined || deviceId === null) return noChoices;
  return after(keyring.verify("sticky", tenant, value), (verified) => {
    if (!verified) return readSticky(keyring, tenant, others, deviceId);
    const [owner, entries] = JSON.parse(new TextDecoder().decode(base64url.decode(verified.payload)));
    return owner === deviceId ? { choices: new Map<string, string>(entries), outdated: verified.outdated } : noChoices;
  });
}

/** A new cookie value when these assignments add to what is remembered, or its key is outdated; else null. */
export async function extendSticky(
  keyring: Keyring,
  tenant: string,
  { choices, outdated }: StickyChoices,
  assignments: readonly Assignment[],
  deviceId: string,
): Promise<string | null> {
  const next = new Map(choices);
  for (const { experiment, variation, method } of assignments) {
    if (experiment.sticky && method !== "forced") next.set(experiment.id, variation.id);
  }
  const changed = [...next].some(([experimentId, variationId]) => choices.get(experimentId) !== variationId);
  if (!changed && !outdated) return null;
  return keyring.sign("sticky", tenant, base64url.encode(JSON.stringify([deviceId, [...next].slice(-maxEntries)])));
}
