/** A group as the engine's flag, which its members depend on. */
import type { Flag } from "../../engine/flag.ts";
import { type Group, groupFlagKey, membersOf, slotKey } from "../group.ts";
import { allOtherUsers } from "./flag-segments.ts";
import { split, type Weight } from "./weights.ts";

/** Compiles `group`. Who lacks the id that is hashed gets no member: it cannot be told whether they would be held out. */
export function groupFlag(group: Group, flagVersion: number): Flag {
  const shares = splitOf(group);
  const none = group.type === "holdout" ? "holdout" : "unallocated";
  return {
    key: groupFlagKey(group),
    variants: Object.fromEntries(sharesOf(group).map(({ variant: key }) => [key, { key, value: key }])),
    segments: [
      {
        ...shares,
        ...(shares.bucket === undefined ? {} : { variant: none }),
        metadata: { segmentName: allOtherUsers },
      },
    ],
    metadata: {
      deployed: false,
      evaluationMode: "remote",
      flagType: group.type === "holdout" ? "holdout-group" : "mutual-exclusion-group",
      flagVersion,
    },
  };
}

/** By member, whom the group lets through to it, as text: the same before and after an edit that moves none of them. */
export function populations(group: Group): Map<string, string> {
  const { bucket, variant } = splitOf(group);
  const ranges = new Map(bucket?.allocations[0]?.distributions.map((share) => [share.variant, share.range]));
  return new Map(
    membersOf(group).map((member) => [
      member.flagId,
      bucket === undefined
        ? String(member.variant === variant)
        : JSON.stringify([bucket.selector, bucket.salt, ranges.get(member.variant)]),
    ]),
  );
}

/** What is held out comes first, so that a holdout that grows takes from the others and gives none of its own back. */
function sharesOf(group: Group): Weight[] {
  if (group.type === "holdout") {
    return [
      { variant: "holdout", weight: group.percentage },
      { variant: "on", weight: 100 - group.percentage },
    ];
  }
  const slots = group.slots.map(({ percentage }, index) => ({ variant: slotKey(index), weight: percentage }));
  const taken = slots.reduce((sum, { weight }) => sum + weight, 0);
  return [...slots, { variant: "unallocated", weight: 100 - taken }];
}

function splitOf(group: Group): ReturnType<typeof split> {
  return split({
    percentage: 100,
    weights: sharesOf(group),
    selector: ["context", "user", group.bucketing_key ?? "device_id"],
    salt: group.bucketing_salt ?? group.id,
  });
}
