/** The parameters of the flags "Login page" and "Sign-up page", which the demo's pages obey. */
import type { StampedExperiment, StampReading } from "./stamp.ts";

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

export interface SignUpParameters {
  headline: string;
  /** Over how many pages the form is spread. */
  steps: 1 | 2 | 3;
}

/** Whatever is missing, unknown or of the wrong type falls back: a typo in an experiment must not break a log-in. */
export function readLoginParameters(stamp: StampReading): LoginParameters {
  const given = configOf(stamp, (config) => !isSignUp(config));
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

export function readSignUpParameters(stamp: StampReading): SignUpParameters {
  const { headline, steps } = configOf(stamp, isSignUp);
  return {
    headline: typeof headline === "string" && headline !== "" ? headline : "Create an account",
    steps: steps === 2 || steps === 3 ? steps : 1,
  };
}

type Config = Record<string, unknown>;

/** A config holds every parameter of its flag, and only the sign-up page's flag has this one. */
export const isSignUp = (config: Config): boolean => Object.hasOwn(config, "steps");

const ranks: Readonly<Record<string, number>> = { forced: 0, rollout: 2 };
const rankOf = ({ method }: StampedExperiment) => ranks[method] ?? 1;

/** Each flag is stamped once. Where two have a parameter of one name, a forced variation decides, then an experiment, then a rollout. */
function configOf(stamp: StampReading, isWanted: (config: Config) => boolean): Config {
  const experiments = stamp.kind === "stamped" ? stamp.experiments : [];
  const configs = experiments.toSorted((a, b) => rankOf(b) - rankOf(a)).map(({ config = {} }) => config);
  return Object.assign({}, ...configs.filter(isWanted));
}
