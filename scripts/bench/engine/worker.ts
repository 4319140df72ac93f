/** Runs the measurements inside workerd, one a request, as `GET /<number>`. */
import { createGrowthBook } from "./contenders.ts";
import { createInterpretedFlagd } from "./flagd.ts";
import { type Entrant, type Measurement, measureEngines } from "./measure.ts";

const peers: readonly Entrant[] = [
  ["growthbook", createGrowthBook],
  ["flagd-core", createInterpretedFlagd],
];
let measurements: Generator<Measurement> | undefined;

export default {
  fetch(request: Request): Response {
    const options = JSON.parse(new URL(request.url).searchParams.get("options") ?? "{}");
    measurements ??= measureEngines(peers, options);
    const { value, done } = measurements.next();
    return Response.json(done ? null : value);
  },
};
