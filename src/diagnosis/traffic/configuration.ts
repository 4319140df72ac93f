/** Why there may be no traffic: what is configured. The Experiment Center's troubleshooting guide asks the same. */
import { isEnabledAtGate, isEnabledForApps } from "../../model/check/gate-reach.ts";
import { currentLevel } from "../../model/experiment.ts";
import type { Check } from "../check.ts";
import { plural, type Scene } from "../scene.ts";

const minuteMs = 60_000;

export const isOver = (status: string) => status === "completed" || status === "archived";

export const entitled: Check<Scene> = {
  id: "entitled",
  title: "The tenant may run experiments",
  fix: 'Set "entitled": true for the tenant in TENANTS, and deploy.',
  find({ record }) {
    return record.is_entitled
      ? { status: "pass", detail: "The tenant is entitled." }
      : {
          status: "fail",
          detail: "The tenant is not entitled: nothing can be changed, and every other answer is 403.",
        };
  },
};

export const experimentActive: Check<Scene> = {
  id: "experiment_active",
  title: "The experiment is active",
  fix: 'POST /experiments/{id}/status with {"status": "active"}.',
  find({ record: { experiment }, counts }) {
    const { status } = experiment;
    const evidence = { status, last_event_at: counts?.last_event_at ?? null };
    if (status === "active") return { status: "pass", detail: "It is active.", evidence };
    if (isOver(status))
      return { status: "not_applicable", detail: `It is ${status}: no traffic is expected.`, evidence };
    const more = status === "paused" ? " Log-ins under way keep their variation." : "";
    return { status: "fail", detail: `It is ${status}: nobody is newly assigned.${more}`, evidence };
  },
  // It cannot be activated before the place is free and its users can be verified.
  yieldsTo: () => ["another_active", "users_verifiable"],
};

const rivalErrors: ReadonlySet<string> = new Set(["experiment_active_limit_exceeded", "feature_flag_shared"]);
/** Reported by checks of their own. */
const reportedElsewhere: ReadonlySet<string> = new Set([
  ...rivalErrors,
  "feature_flag_not_active",
  "experiment_user_not_verifiable",
]);

export const experimentValid: Check<Scene> = {
  id: "experiment_valid",
  title: "The experiment is valid",
  fix: "Correct each error listed; POST /experiments/{id}/validate lists them anew. An invalid experiment is not served.",
  find({ record }) {
    const errors = record.errors.filter(({ code }) => !reportedElsewhere.has(code));
    if (errors.length === 0) return { status: "pass", detail: "Validation finds nothing." };
    const listed = errors.map(({ code, message }) => ({ code, message }));
    const detail = `Validation finds ${plural(errors.length, "error")}: ${errors.map(({ code }) => code).join(", ")}.`;
    return { status: "fail", detail, evidence: { errors: listed } };
  },
};

export const anotherActive: Check<Scene> = {
  id: "another_active",
  title: "No other experiment takes its place",
  fix: "Pause or complete the other experiment, or raise active_experiment_limit in TENANTS.",
  find({ record: { experiment, others_active: others, active_limit: limit, errors } }) {
    const evidence = { active: others.map(({ id, name }) => ({ id, name })), limit };
    if (isOver(experiment.status)) {
      return { status: "not_applicable", detail: "The experiment is over.", evidence };
    }
    const blocking = errors.find(({ code }) => rivalErrors.has(code));
    if (blocking !== undefined) {
      const names = others.map(({ name }) => `"${name}"`).join(", ");
      return { status: "fail", detail: `Active instead: ${names}. ${blocking.message}.`, evidence };
    }
    return { status: "pass", detail: `${others.length + 1} of ${limit} places would be taken.`, evidence };
  },
};

export const flagActive: Check<Scene> = {
  id: "flag_active",
  title: "Its feature flag is active",
  fix: 'POST /feature-flags/{id}/status with {"status": "active"}; of an archived flag, make a new one.',
  find({ record: { flag, experiment } }) {
    const evidence = { feature_flag_id: experiment.feature_flag_id, status: flag?.status ?? null };
    // That it is gone is an error of validation.
    if (flag === null) return { status: "not_applicable", detail: "There is no such feature flag.", evidence };
    if (flag.status === "active") return { status: "pass", detail: `"${flag.name}" is active.`, evidence };
    return { status: "fail", detail: `"${flag.name}" is ${flag.status}: it serves nobody.`, evidence };
  },
};

export const usersVerifiable: Check<Scene> = {
  id: "users_verifiable",
  title: "The gate can verify users",
  fix: "Set `user` in TENANTS to say how the gate verifies a user's token, or assign devices.",
  find({ record: { experiment, flag, verifies_users: isSet } }) {
    const { subject } = experiment.assignment_config;
    const evidence = { subject, user_settings: isSet };
    if (subject !== "user") return { status: "not_applicable", detail: "It assigns devices.", evidence };
    if (isOver(experiment.status)) return { status: "not_applicable", detail: "The experiment is over.", evidence };
    if (flag === null || !isEnabledAtGate(flag)) {
      return { status: "not_applicable", detail: "Its flag is not enabled at the gate.", evidence };
    }
    if (isSet) return { status: "pass", detail: "The tenant's settings say how users are verified.", evidence };
    const detail = "It assigns users, and the tenant has no `user` settings";
    return isEnabledForApps(flag)
      ? { status: "warn", detail: `${detail}: only apps assign.`, evidence }
      : { status: "fail", detail: `${detail}: no one is assigned.`, evidence };
  },
};

export const flowHasPages: Check<Scene> = {
  id: "flow_has_pages",
  title: "The experiment's flow has pages",
  fix: "Set `pages` in TENANTS to say which paths belong to the flow, or choose another flow.",
  find({ record: { experiment, flag, gate_flows: flows } }) {
    const { authentication_flow: flow } = experiment;
    const evidence = { authentication_flow: flow, flows_with_pages: [...flows] };
    if (isOver(experiment.status)) return { status: "not_applicable", detail: "The experiment is over.", evidence };
    if (flag === null || !isEnabledAtGate(flag)) {
      return { status: "not_applicable", detail: "Its flag is not enabled at the gate.", evidence };
    }
    if (flow === "all") return { status: "pass", detail: "It runs on the pages of every flow.", evidence };
    if (flows.includes(flow)) return { status: "pass", detail: `The flow ${flow} has pages.`, evidence };
    const detail = `No page at the gate belongs to the flow ${flow}`;
    return isEnabledForApps(flag)
      ? { status: "warn", detail: `${detail}: only apps assign.`, evidence }
      : { status: "fail", detail: `${detail}: no one is assigned.`, evidence };
  },
};

export const levelOpen: Check<Scene> = {
  id: "level_open",
  title: "The ramp lets subjects in",
  fix: "POST /experiments/{id}/advance-ramp to the next level.",
  find({ record: { experiment } }) {
    if (experiment.allocation_strategy !== "percentage") {
      return { status: "not_applicable", detail: "Segments are all or nothing: there is no ramp." };
    }
    const level = currentLevel(experiment);
    const evidence = { level, levels: experiment.levels ?? [] };
    if (level === 0) return { status: "fail", detail: "The level in force is 0%: nobody is let in.", evidence };
    return { status: "pass", detail: `${level}% of the subjects are let in.`, evidence };
  },
};

export const published: Check<Scene> = {
  id: "published",
  title: "The edge knows the configuration",
  thresholds: ["publish_minutes"],
  fix: "GET /snapshot shows what keeps it from KV; it is tried again by itself. Look at the status of Workers KV.",
  find({ record: { pending }, nowMs, thresholds }) {
    if (pending === null) return { status: "pass", detail: "All changes are published." };
    const minutes = Math.floor((nowMs - Date.parse(pending.since)) / minuteMs);
    const evidence = { pending_since: pending.since, last_error: pending.last_error };
    if (minutes < thresholds.publish_minutes) {
      return { status: "pass", detail: "A change is on its way to the edge.", evidence };
    }
    return { status: "fail", detail: `Changes of ${plural(minutes, "minute")} ago are not published.`, evidence };
  },
};
