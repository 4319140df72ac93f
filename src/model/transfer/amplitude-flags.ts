/** Amplitude's flag JSON, the list that `/sdk/v2/flags` gives to a server deployment, as a configuration file. */
import * as v from "valibot";
import type { Flag } from "../../engine/flag.ts";
import { snapshotSchema } from "../snapshot.ts";
import { isGroupFlag, readGroup } from "./amplitude-group.ts";
import { readParameters } from "./amplitude-parameters.ts";
import { type RolloutReading, readRollout } from "./amplitude-rollout.ts";
import { type ConfigurationProblem, problemOf } from "./configuration-problem.ts";
import type { ConfigurationFile } from "./configuration-schema.ts";

export interface AmplitudeReading {
  file: ConfigurationFile;
  /** What cannot be expressed so that everyone gets the variant they got; each names flag and segment. */
  problems: ConfigurationProblem[];
  /** What is expressed otherwise, and moves nobody. */
  warnings: ConfigurationProblem[];
  /** Where each of the file's flags stood. */
  places: number[];
}

const flagSchema = snapshotSchema.entries.flags.item;
/** A flag that a tenant could not hold anyway is not looked into. */
const mostSegments = 200;

type FlagFile = NonNullable<ConfigurationFile["feature_flags"]>[number];

interface Read extends RolloutReading {
  flag: Flag;
  place: number;
}

export function readAmplitudeFlags(input: unknown): AmplitudeReading {
  const problems: ConfigurationProblem[] = [];
  const warnings: ConfigurationProblem[] = [];
  if (!Array.isArray(input)) {
    problems.push({ path: "", message: "must be the list of flags that GET /sdk/v2/flags gives" });
    return { file: {}, problems, warnings, places: [] };
  }
  const flags = input.flatMap((item, place): [Flag, number][] => {
    const parsed = v.safeParse(flagSchema, item, { abortEarly: true });
    if (parsed.success) return [[parsed.output as Flag, place]];
    if (problems.length < 100) {
      const [fault] = parsed.issues.map(problemOf);
      problems.push({ path: [`[${place}]`, fault?.path].filter(Boolean).join("."), message: fault?.message ?? "" });
    }
    return [];
  });
  const say = (list: ConfigurationProblem[], [flag, place]: [Flag, number], under: string, message: string) =>
    void list.push({ path: `[${place}]${under}`, message: `flag "${flag.key}"${message}` });
  const saySegment = (list: ConfigurationProblem[], flag: [Flag, number]) => (at: number, message: string) => {
    const name = flag[0].segments[at]?.metadata?.segmentName;
    say(list, flag, `.segments[${at}]`, `, segment ${name === undefined ? at + 1 : JSON.stringify(name)}: ${message}`);
  };
  const read = flags
    .filter(([flag]) => !isGroupFlag(flag))
    .map((one): Read => {
      const [flag, place] = one;
      const reports = { problem: saySegment(problems, one), warning: saySegment(warnings, one) };
      if (flag.segments.length > mostSegments) reports.problem(mostSegments, `is one of more than ${mostSegments}`);
      if (isStub(flag)) reports.problem(0, "is what client deployments are shown; ask with a server deployment's key");
      return { flag, place, ...readRollout(flag, reports) };
    });
  const feature_flags = read.map((one) => {
    const { flag, place } = one;
    const sayVariant = (list: ConfigurationProblem[]) => (variant: string, message: string) =>
      say(list, [flag, place], `.variants.${variant}`, `, variant ${JSON.stringify(variant)}: ${message}`);
    return flagFile(one, {
      problem: sayVariant(problems),
      warning: sayVariant(warnings),
      status: (message) => say(warnings, [flag, place], "", `: ${message}`),
    });
  });
  const drafts = new Set(feature_flags.filter(({ status }) => status === "draft").map(({ key }) => key));
  for (const { flag, place, guards } of read) {
    for (const key of guards.keys()) {
      if (!drafts.has(key) || drafts.has(flag.key)) continue;
      say(problems, [flag, place], ".segments", `: depends on ${key}, which becomes a draft and lets nobody through`);
    }
  }
  const groups = flags
    .filter(([flag]) => isGroupFlag(flag))
    .flatMap((one) => {
      const [{ key }] = one;
      const members = new Map<string, string[]>();
      for (const { flag, guards } of read) {
        for (const variant of guards.get(key) ?? []) members.set(variant, [...(members.get(variant) ?? []), flag.key]);
      }
      const group = readGroup(one[0], members);
      if (typeof group !== "string") return [group];
      say(problems, one, "", `: ${group}`);
      return [];
    });
  return {
    file: { feature_flags, ...(groups.length > 0 ? { groups } : {}) },
    problems,
    warnings,
    places: read.map(({ place }) => place),
  };
}

/** What a client deployment is given instead of a flag that is evaluated remotely. */
function isStub({ segments }: Flag): boolean {
  const [segment, ...others] = segments;
  return others.length === 0 && segment?.metadata?.segmentName === "default" && segment.variant === "off";
}

function flagFile(
  { flag, variants, guards, rollout }: Read,
  report: {
    problem(variant: string, message: string): void;
    warning(variant: string, message: string): void;
    status(message: string): void;
  },
): FlagFile {
  const { parameters, overridesOf } = readParameters(flag, variants, report);
  for (const key of variants) {
    const { value } = flag.variants[key] ?? {};
    if (value !== undefined && value !== key)
      report.warning(key, `has the value ${JSON.stringify(value)}, which becomes its key`);
  }
  const isDeployed = flag.metadata?.deployed === true;
  const isEnough = variants.length >= 2;
  if (isDeployed && !isEnough)
    report.status("has one variant beside off, and an active flag needs two: becomes a draft");
  const dependencies = Object.fromEntries([...guards].filter(([key]) => !/^(holdout|mutex)-/.test(key)));
  return {
    key: flag.key,
    name: nameOf("Flag", flag.key),
    status: isDeployed && isEnough ? "active" : "draft",
    ...(parameters === undefined ? {} : { parameters }),
    rollout: { ...(Object.keys(dependencies).length > 0 ? { dependencies } : {}), ...rollout },
    variations: variants.map((key) => ({ key, name: nameOf("Variation", key), overrides: overridesOf(key) })),
  };
}

/** Names must have three characters, which many keys have not. */
function nameOf(what: string, key: string): string {
  return key.length < 3 ? `${what} ${key}` : key;
}
