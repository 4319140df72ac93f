/** Keeps floods of made-up tokens from the control plane: who guesses wrong too often is turned away at once. */
import { createRateLimiter, type Rate } from "../../control/rate-limit.ts";
import { Problem } from "../../model/problem.ts";

/** Wrong tokens of one client in one isolate. */
const allowance = { perSecond: 5, burst: 100 };
const mostRemembered = 1_000;

/** `unknown`: nobody could say, as the one who knows could not be reached. */
export type Verdict = "genuine" | "wrong" | "unknown";

/** 429, though nobody knows yet who asks. */
export class Flooded extends Problem {
  readonly rate: Rate;

  constructor(rate: Rate) {
    super("too_many_requests");
    this.rate = rate;
  }
}

export interface FloodGuard {
  /** To be asked before a token is looked up. @returns what to call with the outcome. @throws {Flooded} */
  enter(client: string, token: string): (verdict: Verdict) => void;
}

export function createFloodGuard(now: () => number): FloodGuard {
  const wrong = createRateLimiter(allowance, now);
  /** Tokens that were genuine when last seen: whoever shares an address with an attacker is not kept out. */
  const genuine = new Set<string>();
  return {
    enter(client, token) {
      const isTrusted = genuine.has(token);
      const rate = isTrusted ? undefined : wrong.take(client);
      if (rate?.isExceeded) throw new Flooded(rate);
      return (verdict) => {
        if (verdict === "wrong") genuine.delete(token);
        else if (!isTrusted) wrong.giveBack(client);
        if (verdict !== "genuine") return;
        if (genuine.size >= mostRemembered) genuine.clear();
        genuine.add(token);
      };
    },
  };
}

/** An IPv4 address, or the /64 of an IPv6 one: that is what one client is given. */
export function clientOf(request: Request): string {
  const address = request.headers.get("cf-connecting-ip") ?? "";
  if (!address.includes(":")) return address;
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0");
  return [...head, ...zeros, ...tail].slice(0, 4).join(":");
}
