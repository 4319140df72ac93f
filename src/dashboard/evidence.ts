/** What pages read of an experiment's report and diagnosis. */
import type { Api, Outcome } from "./api.ts";

export interface Rate {
  rate: number | null;
  low: number | null;
  high: number | null;
  difference: { estimate: number; low: number; high: number } | null;
}

export interface VariationResult {
  variation_id: string;
  name: string;
  is_control: boolean;
  share: number | null;
  assignments: number;
  exposures: number;
  logins: number;
  signups: number;
  failures: number;
  pass_throughs: number;
  rates: Readonly<Record<"exposure" | "login" | "signup" | "failure", Rate>>;
}

export type Verdict = "not_enough_data" | "green" | "yellow" | "red" | "not_applicable";

export interface Hour {
  hour: string;
  variation_id: string;
  assigned: number;
  exposed: number;
}

export interface Epoch {
  epoch: number;
  from: string | null;
  to: string | null;
  shares: Readonly<Record<string, number>> | null;
}

export interface Report {
  as_of: string;
  partial: readonly { detail: string }[];
  variations: readonly VariationResult[];
  srm: {
    chi_square: { p: number; log10_p: number | null };
    sequential: { p: number; is_alert: boolean };
    deviation: number;
    units: number;
    verdict: Verdict;
  };
  jumping: { exposed: number; jumped: number; share: number };
  excluded: { forced: number; included: number; sticky: number; unassigned: number };
  epochs: readonly Epoch[];
  hours: readonly Hour[];
  detectable: readonly { deviation: number; units: number }[];
  warnings: readonly string[];
}

export type CheckStatus = "not_applicable" | "insufficient_data" | "pass" | "warn" | "fail";

export interface Check {
  id: string;
  status: CheckStatus;
  title: string;
  detail: string;
  evidence: Readonly<Record<string, unknown>>;
  threshold: Readonly<Record<string, number>>;
  fix: string;
}

export interface Diagnosis {
  partial: readonly { detail: string }[];
  leading: string | null;
  traffic: readonly Check[];
  setup: readonly Check[];
  srm: readonly Check[];
}

/** Where the ledger cannot be reached, the rest of the page is shown all the same. */
export function readReport(api: Api, id: string): Promise<Outcome<Report>> {
  return api.send("GET", `/experiments/${encodeURIComponent(id)}/report`);
}

export function readDiagnosis(api: Api, id: string): Promise<Outcome<Diagnosis>> {
  return api.send("GET", `/experiments/${encodeURIComponent(id)}/diagnosis`);
}
