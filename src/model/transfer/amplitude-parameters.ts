/** What Amplitude's variants carry, as a flag's parameters and its variations' overrides. */
import type { Flag } from "../../engine/flag.ts";
import type { Parameters, ParameterType } from "../feature-flag.ts";
import { isSameJson } from "../json-value.ts";
import type { Variation } from "../variation.ts";

export interface ParametersReading {
  /** Absent where no variant carries anything. */
  parameters?: Parameters;
  overridesOf(variant: string): Variation["overrides"];
}

const maxParameters = 10;
const emptyValues: Readonly<Record<ParameterType, unknown>> = {
  string: "",
  number: 0,
  boolean: false,
  array: [],
  object: {},
};

/** @param keys of the variants that become variations */
export function readParameters(
  { variants }: Flag,
  keys: readonly string[],
  report: { problem(variant: string, message: string): void; warning(variant: string, message: string): void },
): ParametersReading {
  const payloads = keys.flatMap((key) => {
    const payload = variants[key]?.payload ?? undefined;
    return payload === undefined ? [] : [{ key, payload }];
  });
  if (payloads.length === 0) return { overridesOf: () => ({}) };
  const isByProperty = payloads.every(({ payload }) => isPlain(payload)) && typesOf(payloads, true) !== undefined;
  const types = typesOf(payloads, isByProperty);
  if (types === undefined) {
    for (const { key, payload } of payloads) {
      report.problem(key, `carries a payload of type ${typeOf(payload)}; the payloads of a flag must be of one type`);
    }
    return { overridesOf: () => ({}) };
  }
  if (!isByProperty) {
    for (const { key } of payloads) report.warning(key, "carries a payload that becomes the parameter payload");
  }
  const carried = (key: string): Record<string, unknown> => {
    const payload = payloads.find((one) => one.key === key)?.payload;
    if (payload === undefined) return {};
    return isByProperty ? (payload as Record<string, unknown>) : { payload };
  };
  const parameters = Object.fromEntries(
    [...types].map(([name, type]) => {
      const lacking = keys.filter((key) => !Object.hasOwn(carried(key), name));
      for (const key of lacking) {
        report.warning(key, `carries no ${name}, and as a parameter it is ${JSON.stringify(emptyValues[type])} now`);
      }
      const [first = ""] = keys;
      return [name, { type, value: lacking.length > 0 ? emptyValues[type] : carried(first)[name] }];
    }),
  );
  return {
    parameters,
    overridesOf: (key) =>
      Object.fromEntries(
        Object.entries(carried(key)).flatMap(([name, value]) =>
          isSameJson(value, parameters[name]?.value) ? [] : [[name, { value }]],
        ),
      ),
  };
}

/** The type of each parameter; undefined where one would have several, or none, or there are too many. */
function typesOf(
  payloads: readonly { payload: unknown }[],
  isByProperty: boolean,
): ReadonlyMap<string, ParameterType> | undefined {
  const types = new Map<string, ParameterType>();
  for (const { payload } of payloads) {
    for (const [name, value] of isByProperty ? Object.entries(payload as object) : [["payload", payload] as const]) {
      const type = typeOf(value);
      if (type === undefined || (types.get(name) ?? type) !== type) return undefined;
      types.set(name, type);
    }
  }
  return types.size === 0 || types.size > maxParameters ? undefined : types;
}

function typeOf(value: unknown): ParameterType | undefined {
  if (value === null || value === undefined) return undefined;
  return Array.isArray(value) ? "array" : (typeof value as ParameterType);
}

function isPlain(value: unknown): boolean {
  return typeOf(value) === "object";
}
