/** What is asked for, by whom, and who answers besides the gate. */
import type { Answering } from "./origin.ts";
import type { Head, Visitors } from "./visitors.ts";

export const contenders = {
  gate: "the gate",
  bare: "a  bare pass-through",
  constants: "b  constant headers",
  growthbook: "c  @growthbook/edge-cloudflare",
  growthbookMemory: "c' the same, payload in memory",
  again: "the gate once more (noise)",
} as const;
export type Contender = keyof typeof contenders;

export interface Scenario {
  title: string;
  heads: (visitors: Visitors) => readonly Head[];
  path: () => string;
  against: readonly Contender[];
  /** What the origin answers: hop-by-hop headers as Node's have them, and a small page, unless it says otherwise. */
  answering?: Partial<Answering>;
  /** The design's promises hold here: no store called, and the shares of b and c. */
  steady: boolean;
}

const returning = (visitors: Visitors) => visitors.returning;
const login = () => "/login";
const unlikely = () => Math.random().toString(36).slice(2);
/** A provider's page within one log-in: no path comes twice, so no signature can be remembered. */
const interaction = () => `/interaction/${unlikely()}${unlikely()}`;

export const scenarios: readonly Scenario[] = [
  {
    title: "Returning visitors, one page",
    heads: returning,
    path: login,
    against: ["bare", "constants", "growthbook", "growthbookMemory"],
    steady: true,
  },
  {
    title: "Returning visitors, one page as hosted providers send it (32 KB, gzipped)",
    heads: returning,
    path: login,
    against: ["bare", "constants", "growthbook", "growthbookMemory"],
    answering: { hosted: true },
    steady: true,
  },
  {
    title: "Returning visitors, no path twice",
    heads: returning,
    path: interaction,
    against: ["bare", "constants", "growthbook", "growthbookMemory"],
    steady: true,
  },
  {
    title: "Returning visitors, one page, answers without hop-by-hop headers",
    heads: returning,
    path: login,
    against: ["constants"],
    answering: { hopByHop: false },
    steady: true,
  },
  {
    title: "First visits: a device minted, assigned, signed and told to the queue",
    heads: ({ newcomers }) => newcomers,
    path: login,
    against: ["bare", "constants", "growthbook", "growthbookMemory"],
    steady: false,
  },
  {
    title: "Sub-resources",
    heads: ({ styles }) => styles,
    path: () => "/style.css",
    against: ["bare", "constants"],
    steady: true,
  },
];
