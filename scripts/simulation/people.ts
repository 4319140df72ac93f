/** Who comes: what they have in their hands, and how they sign in. */
import { chromeClientHints, chromeUserAgent } from "../browserless/visitor.ts";
import type { Random } from "./random.ts";

export interface Device {
  /** As the gate names it. */
  browser: string;
  userAgent: string;
  /** Beside those that every browser sends; an empty value takes one away. */
  headers: Readonly<Record<string, string>>;
}

/** Browsers without client hints. */
const unhinted = Object.fromEntries(Object.keys(chromeClientHints).map((name) => [name, ""]));

export const devices = {
  chrome: { browser: "chrome", userAgent: chromeUserAgent, headers: {} },
  chromeOnAndroid: {
    browser: "chrome",
    userAgent:
      "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36",
    headers: { "sec-ch-ua-mobile": "?1", "sec-ch-ua-platform": '"Android"' },
  },
  safari: {
    browser: "safari",
    userAgent:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    headers: unhinted,
  },
  firefox: {
    browser: "firefox",
    userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:148.0) Gecko/20100101 Firefox/148.0",
    headers: unhinted,
  },
} as const satisfies Record<string, Device>;

const shares: readonly (readonly [Device, number])[] = [
  [devices.chrome, 40],
  [devices.safari, 20],
  [devices.firefox, 25],
  [devices.chromeOnAndroid, 15],
];

export interface Person {
  /** Also the id of the device, where that is ours to choose. */
  id: string;
  device: Device;
  /** `leaves`: sees the page and goes away again. */
  does: "signs_in" | "signs_up" | "mistypes" | "leaves";
}

/** @param prefix parts them from those who have been before */
export function draw(count: number, random: Random, prefix: string): Person[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${index}`,
    device: random.pick(shares),
    does: random.pick<Person["does"]>([
      ["signs_in", 65],
      ["signs_up", 10],
      ["mistypes", 10],
      ["leaves", 15],
    ]),
  }));
}
