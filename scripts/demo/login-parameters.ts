/** The parameters of the flag "Login page", which the demo's pages obey. */
import type { StampReading } from "./stamp.ts";

export interface LoginParameters {
  headline: string;
  button_label: string;
  layout: "card" | "split";
  /** Shown under the headline; empty for none. */
  social_proof: string;
}

export const defaultLoginParameters: LoginParameters = {
  headline: "Sign in",
  button_label: "Sign in",
  layout: "card",
  social_proof: "",
};

/** Whatever is missing, unknown or of the wrong type falls back: a typo in an experiment must not break a log-in. */
export function readLoginParameters(stamp: StampReading): LoginParameters {
  const configs = stamp.kind === "stamped" ? stamp.experiments.map((experiment) => experiment.config) : [];
  const given: Record<string, unknown> = Object.assign({}, ...configs);
  const text = (name: "headline" | "button_label" | "social_proof") => {
    const value = given[name];
    return typeof value === "string" ? value : defaultLoginParameters[name];
  };
  return {
    headline: text("headline") || defaultLoginParameters.headline,
    button_label: text("button_label") || defaultLoginParameters.button_label,
    layout: given.layout === "split" ? "split" : "card",
    social_proof: text("social_proof"),
  };
}
