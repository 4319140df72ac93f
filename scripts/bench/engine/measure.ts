/** The measurements, free of any platform: they run in Node and, bundled, inside workerd. */
import { type Contender, type InterleaveOptions, interleave, type Standing } from "../interleave.ts";
import { createCore, createOurs, type Evaluate } from "./contenders.ts";
import { createRollouts, createUsers, type Rollout } from "./workload.ts";

export interface Measurement {
  title: string;
  standings: Standing[];
}

/** Few enough to stay in the processor's cache, as a user just parsed from a request is. */
const userCount = 64;

/** An engine with its name. */
export type Entrant = readonly [name: string, create: (rollouts: readonly Rollout[]) => Evaluate];

const field: readonly Entrant[] = [
  ["experiment-core", createCore],
  ["Vestibule", createOurs],
];

/** Whether both give the same variants to all these users; a benchmark of different answers means nothing. */
function checkAgreement(rollouts: readonly Rollout[], script: "ASCII" | "non-ASCII"): void {
  const core = createCore(rollouts);
  const ours = createOurs(rollouts);
  for (const user of createUsers(1_000, script)) {
    if (JSON.stringify(core(user)) !== JSON.stringify(ours(user))) throw new Error("the engines disagree");
  }
}

/** All engines at 1, 10 and 100 flags, with ids in and outside ASCII. */
export function* measureEngines(peers: readonly Entrant[], options: InterleaveOptions): Generator<Measurement> {
  for (const script of ["ASCII", "non-ASCII"] as const) {
    for (const count of [1, 10, 100]) {
      const rollouts = createRollouts(count);
      const users = createUsers(userCount, script);
      checkAgreement(rollouts.slice(0, 10), script);
      const contenders = [...field, ...peers].map(([name, create]): Contender => {
        const evaluate = create(rollouts);
        return { name, run: (turn) => evaluate(users[turn % userCount] as (typeof users)[number]) };
      });
      yield {
        title: `${count} ${count === 1 ? "flag" : "flags"}, ${script} ids`,
        standings: interleave(contenders, options),
      };
    }
  }
}

/** A growing workload: how much of it there is by turns, and what each costs. */
export interface Growth {
  title: string;
  sizes: readonly number[];
  standings: Standing[];
}

/** What an evaluation costs as flags and inclusions grow: the first of each is the yardstick. */
export function* measureGrowth(options: InterleaveOptions): Generator<Growth> {
  const users = createUsers(userCount, "ASCII");
  const contend = (name: string, rollouts: readonly Rollout[]): Contender => {
    const evaluate = createOurs(rollouts);
    return { name, run: (turn) => evaluate(users[turn % userCount] as (typeof users)[number]) };
  };
  const flags = [1, 10, 100, 1_000];
  yield {
    title: "Vestibule as flags grow",
    sizes: flags,
    standings: interleave(
      flags.map((count) => contend(`${count} ${count === 1 ? "flag" : "flags"}`, createRollouts(count))),
      options,
    ),
  };
  const ids = [10, 1_000, 100_000];
  yield {
    title: "Vestibule as inclusion lists grow, one flag",
    sizes: ids,
    standings: interleave(
      ids.map((count) => contend(`${count} ids`, createRollouts(1, count / 2))),
      options,
    ),
  };
}
