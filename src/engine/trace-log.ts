import type { BucketPlan, Choice, DistributionPlan, Plan } from "./plan.ts";
import type { BucketTrace, ConditionTrace, FlagTrace, SegmentTrace } from "./trace.ts";

export interface Hit {
  subject: string;
  hash: number;
  distribution: DistributionPlan | undefined;
}

/** Takes down what the machine does for one flag, and tells it segment by segment. */
export class TraceLog {
  readonly #plan: Plan;
  readonly #groups = new Map<number, ConditionTrace[][]>();
  readonly #choices = new Map<number, Choice | undefined>();
  readonly #buckets = new Map<number, BucketTrace>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** A condition was answered. */
  condition(number: number, saw: unknown, matched: boolean): void {
    const plan = this.#plan.conditions[number];
    if (plan === undefined) return;
    const groups = this.#groups.get(plan.segment) ?? [];
    this.#groups.set(plan.segment, groups);
    groups[plan.group] = [...(groups[plan.group] ?? []), { condition: plan.condition, saw, matched }];
  }

  /** A segment matched and gave this; undefined when it gives no variant. */
  match(segment: number, choice: Choice | undefined): void {
    this.#choices.set(segment, choice);
  }

  /** A matching segment bucketed; no hit when there was nothing to bucket. */
  bucket(segment: number, { slot: { selector }, salt, allocations }: BucketPlan, hit?: Hit): void {
    const holding = allocations.filter(({ start, end }) => hit && hit.hash % 100 >= start && hit.hash % 100 < end);
    const decided = holding.find(({ distributions }) => distributions.some((each) => each === hit?.distribution));
    this.#buckets.set(segment, {
      selector,
      input: hit && `${salt.text}/${hit.subject}`,
      hash: hit?.hash,
      allocation: hit && hit.hash % 100,
      distribution: hit && Math.floor(hit.hash / 100),
      allocationRange: (decided ?? holding.at(-1))?.range,
      distributionRange: hit?.distribution?.range,
    });
  }

  /** What was taken down; `decided` ended the search, undefined when nothing did. */
  tell(flag: number, decided: Choice | undefined): FlagTrace {
    const first = this.#plan.firstSegment[flag] ?? 0;
    const end = this.#plan.firstSegment[flag + 1] ?? 0;
    const segments: SegmentTrace[] = [];
    for (let number = first; number < end; number++) {
      const choice = this.#choices.get(number);
      segments.push({
        index: number - first,
        name: this.#plan.segments[number]?.name,
        groups: this.#groups.get(number) ?? [],
        matched: this.#choices.has(number),
        bucket: this.#buckets.get(number),
        variant: choice?.key,
      });
      if (decided !== undefined && choice === decided) break;
    }
    return { flag: this.#plan.flags[flag] ?? "", segments, variant: decided?.key, fault: undefined };
  }
}
