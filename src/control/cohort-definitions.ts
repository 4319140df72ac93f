/** What the object is told that fetches the tenant's cohorts. */
import type { CohortDefinition } from "../model/cohort.ts";
import type { Tables } from "./tables.ts";

export interface CohortDefinitions {
  tenant: string;
  /** Counts up: what is heard late, after a later one, is not believed. */
  revision: number;
  /** All that the tenant has: what is not among them is no more. */
  cohorts: CohortDefinition[];
}

export function cohortDefinitions({ cohort, secret }: Tables): CohortDefinition[] {
  return [...cohort.values()].map(({ item }) => {
    const credentials = secret.get(item.id)?.item.credentials;
    return { ...item, ...(credentials === undefined ? {} : { credentials }) };
  });
}
