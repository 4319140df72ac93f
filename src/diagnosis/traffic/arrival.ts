/** Why there may be no traffic: what arrives, and what becomes of it. */
import { isEnabledAtGate } from "../../model/check/gate-reach.ts";
import { gateDeployment } from "../../model/deployment.ts";
import type { LedgerCounts } from "../../model/ledger-counts.ts";
import { type Check, type Finding, noLedger } from "../check.ts";
import { plural, type Scene } from "../scene.ts";
import { sum, total } from "../split.ts";
import { isOver } from "./configuration.ts";

const noLog: Finding = { status: "insufficient_data", detail: "The log cannot be reached." };

function assignedBy({ attributes }: LedgerCounts, name: string): Map<string, number> {
  const byValue = Map.groupBy(
    attributes.filter((cell) => cell.name === name),
    ({ value }) => value,
  );
  return new Map([...byValue].map(([value, cells]) => [value, total(cells, ({ assigned }) => assigned)]));
}

export const segmentMatching: Check<Scene> = {
  id: "segment_matching",
  title: "Segments match somebody",
  thresholds: ["min_units"],
  fix: "Compare the segment's rules with what requests bring (GET /explain): device_type is mobile, desktop or tablet; country and region come of the address and are absent on localhost. A variation can be forced by query to test the page.",
  find({ record, counts, thresholds }) {
    if (record.experiment.allocation_strategy !== "segment") {
      return { status: "not_applicable", detail: "It splits by percentages." };
    }
    if (counts === null) return noLedger;
    const assigned = assignedBy(counts, "segment");
    const evidence = {
      segments: record.segments.map(({ id, name }) => ({ id, name, assigned: assigned.get(id) ?? 0 })),
      fallback: assigned.get("(none)") ?? 0,
    };
    const all = sum([...assigned.values()]);
    if (all < thresholds.min_units) {
      return { status: "insufficient_data", detail: `${plural(all, "unit")} assigned so far.`, evidence };
    }
    const empty = evidence.segments.filter((segment) => segment.assigned === 0);
    const names = empty.map(({ name }) => `"${name}"`).join(", ");
    if (empty.length === 0) return { status: "pass", detail: "Every segment matches somebody.", evidence };
    if (empty.length < evidence.segments.length) {
      return { status: "warn", detail: `Nobody matches ${names}.`, evidence };
    }
    return { status: "fail", detail: `Nobody matches ${names}: all get the fallback.`, evidence };
  },
};

export const circuitClosed: Check<Scene> = {
  id: "circuit_closed",
  title: "The circuit breaker is closed",
  thresholds: ["breaker_hours"],
  fix: "Log-ins go on without assignments while a store is slow or failing, and it closes by itself. Where it stays open, look at the status of Workers KV and at `cohort_stale` in the log.",
  find({ log, thresholds }) {
    if (log === null) return noLog;
    const count = (of: Readonly<Record<string, number>>) => ({
      experiment_circuit_open: of.experiment_circuit_open ?? 0,
      experiment_failed_open: of.experiment_failed_open ?? 0,
    });
    const evidence = { lately: count(log.lately), last_day: count(log.day) };
    if (evidence.lately.experiment_circuit_open > 0) {
      const within = plural(thresholds.breaker_hours, "hour");
      return {
        status: "fail",
        detail: `It was open within the last ${within}: nobody was assigned meanwhile.`,
        evidence,
      };
    }
    if (evidence.last_day.experiment_circuit_open > 0) {
      return { status: "warn", detail: "It was open within the last day.", evidence };
    }
    return { status: "pass", detail: "It was not open within the last day.", evidence };
  },
};

export const deploymentEnabled: Check<Scene> = {
  id: "deployment_enabled",
  title: "The flag is enabled at the gate or in a deployment",
  fix: 'PATCH /feature-flags/{id} with `deployments`: "gate" for login pages, and the ids of deployments whose apps fetch it.',
  find({ record: { experiment, flag, deployments }, counts }) {
    if (isOver(experiment.status)) return { status: "not_applicable", detail: "The experiment is over." };
    if (flag === null) return { status: "not_applicable", detail: "There is no such feature flag." };
    const enabled = deployments.filter(({ id }) => flag.deployments.includes(id)).map(({ id, name }) => ({ id, name }));
    const atGate = isEnabledAtGate(flag);
    const byGate = counts === null ? null : (assignedBy(counts, "source").get(gateDeployment) ?? 0);
    const evidence = { deployments: deployments.length, enabled, enabled_at_gate: atGate, assigned_by_gate: byGate };
    const places = [
      ...(atGate ? ["at the gate"] : []),
      ...(enabled.length > 0 ? [`in ${plural(enabled.length, "deployment")}`] : []),
    ];
    if (places.length > 0) return { status: "pass", detail: `It is enabled ${places.join(" and ")}.`, evidence };
    return { status: "fail", detail: "It is enabled neither at the gate nor in a deployment.", evidence };
  },
  // An experiment that does not run is assigned nowhere, wherever its flag is enabled.
  yieldsTo: () => ["experiment_active", "flag_active"],
};

export const supportedEvents: Check<Scene> = {
  id: "supported_events",
  title: "Log-ins under the experiment are seen",
  thresholds: ["min_units"],
  fix: "Experiments are stamped on log-ins and sign-ups (s, ss, f, fs) that end in a redirect with code= or error=, or as `outcomes` of the tenant's settings say. Set `provider`, `paths` or `outcomes` for what yours answers; of a log stream, see that it does not filter these types.",
  find({ record: { experiment }, counts, log, thresholds }) {
    if (counts === null) return noLedger;
    const { authentication_flow: flow } = experiment;
    if (flow !== "authentication" && flow !== "all") {
      return { status: "not_applicable", detail: `The end of ${flow} is no log event.` };
    }
    const shown = sum(
      counts.attributes
        .filter(({ name, value }) => name === "source" && value === "gate")
        .map(({ exposed }) => exposed),
    );
    const ended = total(counts.cells, ({ finished }) => finished);
    const evidence = {
      exposed_by_gate: shown,
      units_with_log_in: ended,
      units_passed_through: total(counts.cells, ({ passed }) => passed),
      log_entries: log === null ? null : { ...log.outcomes },
      log_entries_without_experiment: log === null ? null : { ...log.unassigned },
    };
    if (ended > 0) return { status: "pass", detail: `${plural(ended, "unit")} came to the end of a log-in.`, evidence };
    if (shown < thresholds.min_units) {
      return {
        status: "insufficient_data",
        detail: `The gate showed it to ${plural(shown, "unit")} so far.`,
        evidence,
      };
    }
    return {
      status: "fail",
      detail: `The gate showed it to ${shown} units, and saw none of them log in or fail to.`,
      evidence,
    };
  },
};
