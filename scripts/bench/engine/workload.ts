/**
 * The workload all contenders express: flags of three segments (inclusions, a targeting segment, all users), two of
 * them with conditions, and users of whom some match.
 */
import type { Allocation, Flag } from "../../../src/engine/flag.ts";

export interface User {
  user_id: string;
  device_id: string;
  country: string;
  platform: string;
  version: string;
  user_properties: { plan: string; role: string };
}

const countries = ["US", "CA", "GB", "DE", "FR", "BR", "IN", "JP", "MX", "AU"];
const platforms = ["Web", "iOS", "Android"];
const plans = ["free", "pro", "team"];
const roles = ["admin", "member", "guest"];
const versions = ["2.1.0", "2.10.3", "3.0.0", "3.2.1"];

const pick = <T>(from: readonly T[], at: number): T => from[at % from.length] as T;
const take = <T>(from: readonly T[], at: number, count: number): T[] =>
  Array.from({ length: count }, (_, step) => pick(from, at + step));

/** What one flag asks for, in no engine's terms. */
export interface Rollout {
  key: string;
  salt: string;
  userIds: string[];
  deviceIds: string[];
  countries: string[];
  platforms: string[];
  notRoles: string[];
  minVersion: string;
  /** Percentage of the targeting segment, and of all users, that take part; half of them get the treatment. */
  targetedShare: number;
  generalShare: number;
}

export function createRollouts(count: number, inclusions = 5): Rollout[] {
  return Array.from({ length: count }, (_, number) => ({
    key: `flag-${number}`,
    salt: `exp_${(number * 7919 + 104_729).toString(36)}`,
    userIds: Array.from({ length: inclusions }, (_, each) => `tester-${number}-${each}@example.com`),
    deviceIds: Array.from({ length: inclusions }, (_, each) => `device-${number}-${each}`),
    countries: take(countries, number, 4),
    platforms: take(platforms, number, 2),
    notRoles: take(roles, number, 1),
    minVersion: pick(versions, number),
    targetedShare: 80,
    generalShare: 50,
  }));
}

function splitInHalf(share: number): Allocation[] {
  return [
    {
      range: [0, share],
      distributions: [
        { variant: "control", range: [0, 21_474_837] },
        { variant: "treatment", range: [21_474_836, 42_949_673] },
      ],
    },
  ];
}

const property = (name: string): string[] => ["context", "user", "user_properties", name];
const field = (name: string): string[] => ["context", "user", name];

export function toFlag(rollout: Rollout): Flag {
  const { key, salt } = rollout;
  const selector = field("device_id");
  return {
    key,
    metadata: {
      deployed: true,
      evaluationMode: "remote",
      flagType: "experiment",
      flagVersion: 3,
      experimentKey: "exp-1",
    },
    variants: {
      off: { key: "off", metadata: { default: true } },
      control: { key: "control", value: "control" },
      treatment: { key: "treatment", value: "treatment", payload: { title: "Welcome" } },
    },
    segments: [
      {
        conditions: [
          [{ selector: field("user_id"), op: "is", values: rollout.userIds }],
          [{ selector, op: "is", values: rollout.deviceIds }],
        ],
        variant: "treatment",
        metadata: { segmentName: "individual-inclusions" },
      },
      {
        conditions: [
          [
            { selector: field("country"), op: "is", values: rollout.countries },
            { selector: field("platform"), op: "is", values: rollout.platforms },
            { selector: property("role"), op: "is not", values: rollout.notRoles },
            { selector: field("version"), op: "version greater or equal", values: [rollout.minVersion] },
          ],
        ],
        bucket: { selector, salt, allocations: splitInHalf(rollout.targetedShare) },
        variant: "off",
        metadata: { segmentName: "Targeted" },
      },
      {
        bucket: { selector, salt, allocations: splitInHalf(rollout.generalShare) },
        variant: "off",
        metadata: { segmentName: "All Other Users" },
      },
    ],
  };
}

/** Users whose ids are UUIDs and addresses, or the same with letters outside ASCII. */
export function createUsers(count: number, script: "ASCII" | "non-ASCII"): User[] {
  const users = Array.from({ length: count }, (_, number): User => {
    const hex = (number * 2_654_435_761 + 97).toString(16).padStart(12, "0").slice(-12);
    const device = `${hex.slice(0, 8)}-${hex.slice(4, 8)}-4${hex.slice(1, 4)}-a${hex.slice(5, 8)}-${hex}`;
    return {
      user_id: script === "ASCII" ? `user-${number}@example.com` : `użytkownik-${number}@пример.example`,
      device_id: script === "ASCII" ? device : `urządzenie-端末-${device.slice(0, 18)}`,
      country: pick(countries, number * 3),
      platform: pick(platforms, number),
      version: pick(versions, number >> 1),
      user_properties: { plan: pick(plans, number >> 2), role: pick(roles, number >> 1) },
    };
  });
  // As they arrive: parsed, none sharing its strings with the flags.
  return JSON.parse(JSON.stringify(users)) as User[];
}
