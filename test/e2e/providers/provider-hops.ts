/** The requests that a provider under test receives, and what was stamped on them. */
import { expect } from "vitest";
import { readStamp, type StampReading } from "../../../scripts/demo/stamp.ts";
import { sample } from "../stack.ts";

/** A request as the provider received it. */
export interface ProviderHop {
  method: string;
  path: string;
  isDocument: boolean;
  stamp: StampReading;
}

export interface ProviderUnderTest {
  /** The requests since last time, the oldest first. */
  takeHops(): ProviderHop[];
  close(): Promise<void>;
}

/** Every request that a provider receives, with its stamp. */
export function createHopLog(stampKey: string, publicUrl: string) {
  const { host } = new URL(publicUrl);
  let hops: ProviderHop[] = [];
  return {
    /** @returns the path */
    async add(method: string, target: string, headers: Headers): Promise<string> {
      const [path = "/"] = target.split("?", 1);
      const isDocument = headers.get("sec-fetch-dest") === "document";
      hops.push({ method, path, isDocument, stamp: await readStamp(headers, stampKey, host) });
      return path;
    },
    take(): ProviderHop[] {
      const taken = hops;
      hops = [];
      return taken;
    },
  };
}

/**
 * The one variation of a login's hops: asserts that the first hop and every other document were stamped, and all alike.
 * @param hops of one login
 */
export function variationOf(hops: readonly ProviderHop[]): string {
  const documents = hops.filter(({ isDocument }) => isDocument);
  const variations = hops.flatMap(({ stamp }) =>
    stamp.kind === "stamped"
      ? stamp.experiments
          .filter(({ experiment_id }) => experiment_id === sample.experiment)
          .map(({ variation_id }) => variation_id)
      : [],
  );
  const unstamped = documents.filter(({ stamp }) => stamp.kind !== "stamped");
  expect(unstamped.map(({ method, path, stamp }) => `${method} ${path} ${stamp.kind}`)).toEqual([]);
  const [variation, ...others] = new Set(variations);
  expect(others).toEqual([]);
  expect(variation).toBeDefined();
  return variation ?? "";
}
