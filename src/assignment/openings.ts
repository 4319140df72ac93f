/** Circuits that have opened, until each tenant has heard of them: they stand before all tenants, and each has a log of its own. */
import type { DependencyName } from "./dependencies.ts";

export interface Openings {
  add(dependency: DependencyName, part?: string): void;
  /** Those that this tenant has not heard of. @param parts that concern it */
  take(tenant: string, parts: readonly string[]): readonly DependencyName[];
}

/** Who comes later need not hear of it: by then it may have closed long since. */
const newsMs = 60_000;
const none: readonly DependencyName[] = [];

export function createOpenings(now: () => number): Openings {
  let openings: { dependency: DependencyName; part: string | undefined; atMs: number; number: number }[] = [];
  let added = 0;
  /** By tenant, the number of the last that it has heard of. */
  const heard = new Map<string, number>();
  return {
    add(dependency, part) {
      openings.push({ dependency, part, atMs: now(), number: ++added });
    },
    take(tenant, parts) {
      if (openings.length === 0) return none;
      const sinceMs = now() - newsMs;
      openings = openings.filter(({ atMs }) => atMs >= sinceMs);
      const last = heard.get(tenant) ?? 0;
      heard.set(tenant, added);
      const news = openings.filter(({ number, part }) => number > last && (part === undefined || parts.includes(part)));
      return [...new Set(news.map(({ dependency }) => dependency))];
    },
  };
}
