/** Where the demo's cohort is fetched from. */
import { type Management, Refusal } from "../management.ts";

export const betaTestersPath = "/beta-testers.csv";

const cohortId = "coh_BetaTesters";

interface Source {
  type: string;
  url: string;
}

/** With the application at another address than the file supposes. */
export function addressed<File extends { cohorts: { source: Source }[] }>(file: File, origin: string): File {
  const cohorts = file.cohorts.map((cohort) => ({
    ...cohort,
    source: { ...cohort.source, url: origin + betaTestersPath },
  }));
  return { ...file, cohorts };
}

/** Leads the cohort to where the application listens this time, unless it is gone or has been led elsewhere. */
export async function leadTo({ send }: Management, origin: string): Promise<void> {
  const address = `/cohorts/${cohortId}`;
  const cohort: { source: Source } | null = await send("GET", address).catch(nullWhereGone);
  if (cohort?.source.type !== "url") return;
  const { source } = cohort;
  const { hostname, pathname, origin: known } = new URL(source.url);
  if (hostname !== "127.0.0.1" || pathname !== betaTestersPath || known === origin) return;
  await send("PATCH", address, { source: { ...source, url: origin + betaTestersPath } });
}

function nullWhereGone(error: unknown): null {
  if (error instanceof Refusal && error.code === "cohort_not_found") return null;
  throw error;
}
