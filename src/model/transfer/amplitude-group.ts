/** Amplitude's flags of mutual exclusion groups and holdouts, as groups. */
import type { Flag } from "../../engine/flag.ts";
import { slotKey } from "../group.ts";
import { readShares, weightsOf } from "./amplitude-shares.ts";
import type { ConfigurationFile } from "./configuration-schema.ts";

type GroupFile = NonNullable<ConfigurationFile["groups"]>[number];
export type Members = ReadonlyMap<string, readonly string[]>;

export function isGroupFlag({ key, metadata }: Flag): boolean {
  const type = metadata?.flagType;
  return type === "holdout-group" || type === "mutual-exclusion-group" || /^(holdout|mutex)-/.test(key);
}

/**
 * @param members by variant of the group's flag, keys of the flags it lets subjects through to
 * @returns why there is no such group, in words, where there is none
 */
export function readGroup(flag: Flag, members: Members): GroupFile | string {
  const [, kind, key = ""] = /^(holdout|mutex)-(.+)$/.exec(flag.key) ?? [];
  const [segment, ...others] = flag.segments;
  if (kind === undefined) return "is a group, whose key must begin with holdout- or mutex-";
  if (segment === undefined || others.length > 0 || segment.conditions !== undefined) {
    return "is a group, which must divide all users in one segment";
  }
  const none = kind === "holdout" ? "holdout" : "unallocated";
  // Who lacks the id gets no member either way.
  const shares = readShares(
    segment.bucket === undefined ? segment : { ...segment, variant: "off" },
    new Set(Object.keys(flag.variants)),
  );
  if (typeof shares === "string") return shares;
  const { selector = [], salt } = segment.bucket ?? {};
  const [bucketing_key] = (["device_id", "user_id"] as const).filter(
    (field) => selector.join("\n") === ["context", "user", field].join("\n"),
  );
  if (segment.bucket !== undefined && bucketing_key === undefined) return `hashes ${selector.join(".")}`;
  const weights = weightsOf(shares.ends);
  const order = weights.map(({ variant }) => variant);
  const isWhole = weights.every(({ weight }) => Number.isInteger(weight));
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  if (!isWhole || shares.percentage !== 100 || (total !== 100 && weights.length > 1)) {
    return "divides all users in other than whole percentages";
  }
  const percentOf = (variant: string) =>
    weights.length === 1
      ? order[0] === variant
        ? 100
        : 0
      : (weights.find((one) => one.variant === variant)?.weight ?? 0);
  const common = {
    key,
    name: key.length < 3 ? `Group ${key}` : key,
    ...(bucketing_key === undefined ? {} : { bucketing_key }),
    ...(salt === undefined ? {} : { bucketing_salt: salt }),
  };
  if (kind === "holdout") {
    if (order.join() !== [none, "on"].filter((variant) => order.includes(variant)).join()) {
      return "must hold out the first of all hashes, and let the others through as on";
    }
    return {
      ...common,
      type: "holdout",
      percentage: percentOf(none),
      feature_flag_ids: [...(members.get("on") ?? [])],
    };
  }
  const slots = Object.keys(flag.variants).filter((variant) => /^slot-\d+$/.test(variant));
  const expected = slots.map((_, index) => slotKey(index));
  if (order.join() !== [...expected, none].filter((variant) => order.includes(variant)).join()) {
    return `must lay out its slots in order, and ${none} last`;
  }
  return {
    ...common,
    type: "mutual_exclusion",
    slots: expected.map((slot) => ({ percentage: percentOf(slot), feature_flag_ids: [...(members.get(slot) ?? [])] })),
  };
}
